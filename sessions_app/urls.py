"""Routes of the pages that people see."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from sessions_app import views

urlpatterns = [
    path("", views.home, name="home"),
    path("text/", views.text_page, name="text"),
    path("call/", views.call_page, name="call"),
    path("call/elsewhere/", views.call_elsewhere, name="call_elsewhere"),
    path("accounts/login/", views.LoginPage.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(next_page="home"), name="logout"),
    path("accounts/signup/", views.signup, name="signup"),
]
