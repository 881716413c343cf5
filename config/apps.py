"""What every process needs to know that sets Django up."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from config.translations.catalogues import ensure_compiled


class ConfigConfig(AppConfig):
    """Makes Celery's application the current one, so that the apps below find it without importing upwards, and sees
    to it that there are words in all languages."""

    name = "config"

    def ready(self) -> None:
        import_module("config.celery")
        ensure_compiled(settings.LOCALE_PATHS[0])
