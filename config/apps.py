"""What every process needs to know that sets Django up."""

from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Makes Celery's application the current one, so that the apps below find it without importing upwards."""

    name = "config"

    def ready(self) -> None:
        import_module("config.celery")
