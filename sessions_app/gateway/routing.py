"""WebSocket routes."""

from django.urls import URLPattern, path

from sessions_app.gateway.consumers import CallConsumer, TextConsumer
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.session_socket import SessionConsumer


def websocket_urlpatterns(registry: SessionRegistry) -> list[URLPattern]:
    """Where pages knock, for the live sessions of one process."""
    return [
        path("ws/text/", TextConsumer.as_asgi(registry=registry)),  # type: ignore[arg-type]  # stubs know views only
        path("ws/call/", CallConsumer.as_asgi(registry=registry)),  # type: ignore[arg-type]
        path("ws/session/", SessionConsumer.as_asgi(registry=registry)),  # type: ignore[arg-type]
    ]
