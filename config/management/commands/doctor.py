"""Say what is well with this server and what is not."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.doctor.checks import checks
from config.doctor.findings import Finding, Verdict, run
from config.doctor.http import Address
from energy.ladders import live_models_in_service

INTERRUPTED = 130


def address(text: str) -> Address:
    """The value of --url. Raises ArgumentTypeError."""
    try:
        return Address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    help = (
        "Look at everything that a server needs, within seconds, and say in a line for each what is so and what to do. "
        "Changes nothing, prints nothing secret. Ends with code 1 when something has failed. With --live it talks with "
        "each model of the ladders instead, which costs a few cents."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation; they are among what is looked at)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", type=address, help="the public address, to look at TLS, proxy and WebSockets through it"
        )

        parser.add_argument(
            "--live",
            action="store_true",
            help="talk with each model of the ladders for some twenty seconds, and keep the frames; costs a few cents",
        )

    def handle(self, *args: Any, url: Address | None, live: bool, **options: Any) -> None:
        verdicts: Counter[Verdict] = Counter()
        try:
            for subject, finding in self._talks() if live else run(checks(url)):
                self.stdout.write(self._line(subject, finding))
                verdicts[finding.verdict] += 1
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdict if verdicts[verdict])
        if verdicts[Verdict.FAILED]:
            raise CommandError(f"{told}.")
        self.stdout.write(f"{told}.")

    def _talks(self) -> Iterator[tuple[str, Finding]]:
        if not (settings.GEMINI_API_KEY or settings.GEMINI_TOKEN_SERVICE_URL or settings.GOOGLE_CLOUD_PROJECT):
            raise CommandError("There is nobody to talk with: set GEMINI_API_KEY, or GOOGLE_CLOUD_PROJECT.")
        # Loads the SDK, which no other check needs.
        from config.doctor.live.look import look

        models = live_models_in_service()
        self.stdout.write(
            f"Talking with {', '.join(models)}, one after the other, for some twenty seconds each. Your "
            "project at Google pays for it: a few cents in all. A machine's voice asks; Ctrl-C ends it."
        )
        directory = settings.DATA_DIR / "doctor" / f"{timezone.now():%Y-%m-%d-%H%M%S}"
        for model in models:
            self.stdout.write(f"{model}:")
            for finding in look(model, directory):
                yield "", finding

    def _line(self, subject: str, finding: Finding) -> str:
        advice = f" {finding.advice}" if finding.advice else ""
        styles = {Verdict.WARNING: self.style.WARNING, Verdict.FAILED: self.style.ERROR}
        verdict = styles.get(finding.verdict, str)(f"{finding.verdict:<8}")
        return f"{verdict} {subject:<12} {finding.text}.{advice}"
