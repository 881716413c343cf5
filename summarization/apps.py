from django.apps import AppConfig


class SummarizationConfig(AppConfig):
    name = "summarization"
    verbose_name = "Summaries and history"

    def ready(self) -> None:
        from summarization import (
            checks,  # noqa: F401 - registers the system check
            recordings,  # noqa: F401 - it hears of recordings that come and go
        )
