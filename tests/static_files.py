"""Serving static files in tests, which make hundreds of applications of one checkout."""

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Redirect, StaticFile

FOUND: dict[str, StaticFile | Redirect] = {}


class ScannedOnce(WhiteNoiseMiddleware):
    """WhiteNoise that looks once in a process for the files there are, instead of for each client of a test."""

    def add_files_from_finders(self) -> None:
        if not FOUND:
            super().add_files_from_finders()
            FOUND.update(self.files)
        self.files.update(FOUND)
