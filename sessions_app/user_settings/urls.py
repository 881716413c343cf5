"""Routes of the page of settings."""

from django.urls import path

from sessions_app.user_settings import views

urlpatterns = [
    path("settings/", views.settings_page, name="settings"),
    path("settings/undo/", views.undo_settings, name="undo-settings"),
    path("settings/reset/", views.reset_settings, name="reset-settings"),
]
