"""Routes for programs that ask for ephemeral tokens."""

from django.urls import path

from sessions_app.auth_tokens import views

urlpatterns = [
    path("api/tokens/", views.tokens, name="tokens"),
    path("api/tokens/<uuid:id>/", views.token, name="token"),
    path("api/tokens/<uuid:id>/renew/", views.renew, name="renew-token"),
]
