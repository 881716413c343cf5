"""Write what is kept of somebody."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from summarization.account_export import parts_of


class Command(BaseCommand):
    help = "Write what is kept of a user as lines of JSON: the account, then each conversation. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="with which the user logs in")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no account {name}.")
        for part in parts_of(user):
            self.stdout.write(json.dumps(part, cls=DjangoJSONEncoder, ensure_ascii=False))
