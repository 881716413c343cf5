"""Routes of the pages about one's own account. The names of those for a new password are Django's."""

from django.urls import path

from sessions_app.accounts import views

urlpatterns = [
    path("account/", views.account_page, name="account"),
    path("account/email/", views.change_email, name="change-email"),
    path("account/password/", views.change_password, name="change-password"),
    path("account/browsers/log-out/", views.log_other_browsers_out, name="log-other-browsers-out"),
    path("account/browsers/<uuid:id>/log-out/", views.log_browser_out, name="log-browser-out"),
    path("account/keys/new/", views.new_key, name="new-access-key"),
    path("account/keys/<uuid:id>/revoke/", views.revoke_key, name="revoke-access-key"),
    path("account/delete/", views.delete_page, name="delete-account"),
    path("accounts/reset/", views.ResetPage.as_view(), name="password_reset"),
    path("accounts/reset/sent/", views.reset_sent, name="password_reset_done"),
    path("accounts/reset/<uidb64>/<token>/", views.ResetConfirmPage.as_view(), name="password_reset_confirm"),
]
