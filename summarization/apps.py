from django.apps import AppConfig


class SummarizationConfig(AppConfig):
    name = "summarization"
    verbose_name = "Summaries and history"
