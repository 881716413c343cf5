from django.apps import AppConfig


class SummarizationConfig(AppConfig):
    name = "summarization"
    verbose_name = "Summaries and history"

    def ready(self) -> None:
        from summarization import recordings  # noqa: F401 - it hears of recordings that come and go
