"""`manage.py makemessages`: bring the files of translators up to date, without the GNU gettext that Django's needs."""

from typing import Any

from django.core.management.base import BaseCommand

from config.translations.catalogues import DOMAINS
from config.translations.files import locales, po_file, write
from config.translations.updating import brought_up_to_date


class Command(BaseCommand):
    help = "Bring config/locale up to date with what is marked for translation, and say how much is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        for locale in locales():
            for domain in DOMAINS:
                catalogue, missing = brought_up_to_date(locale, domain)
                write(catalogue, po_file(locale, domain))
                self.stdout.write(f"{locale}, {domain}: {len(catalogue)} messages, {missing} without a translation")
