"""WebSocket routes."""

from django.urls import path

from sessions_app.gateway.consumers import CallConsumer, TextConsumer
from sessions_app.gateway.session_registry import registry

websocket_urlpatterns = [
    path("ws/text/", TextConsumer.as_asgi(registry=registry)),  # type: ignore[arg-type]  # stubs know views only
    path("ws/call/", CallConsumer.as_asgi(registry=registry)),  # type: ignore[arg-type]
]
