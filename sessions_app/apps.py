from django.apps import AppConfig


class SessionsAppConfig(AppConfig):
    name = "sessions_app"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from sessions_app import (
            authority_signals,  # noqa: F401  (hears who loses a right)
            checks,  # noqa: F401  (registers the system checks)
        )
        from sessions_app.accounts import browsers
        from sessions_app.recordings import service  # noqa: F401  (hears of rows whose files go with them)

        user_logged_in.connect(browsers.note_log_in)
