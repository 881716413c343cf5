"""Routes of the session page."""

from django.urls import path

from sessions_app.session_page import views

urlpatterns = [
    path("session/", views.session_page, name="session"),
    path("api/session/", views.session_json, name="session-json"),
]
