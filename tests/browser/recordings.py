"""Recordings of Alice's for tests in a browser, as rows of a server that runs."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page

from tests.services.web import WebServer

CLEAR = """
from sessions_app.models import GeminiFile, Recording, RecordingUpload
RecordingUpload.objects.all().delete()
GeminiFile.objects.all().delete()
Recording.objects.all().delete()
"""
MADE = """
import hashlib, json
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from sessions_app.models import Recording, RecordingWork
from tests.recordings.sounds import wav
for wish in json.loads({wishes!r}):
    sound = wav(wish["seconds"], loudness=wish["loudness"])
    recording = Recording(
        user=User.objects.get(username="alice"), name=wish["name"], sha256=hashlib.sha256(sound).hexdigest(),
        size_bytes=len(sound), media_type="audio/wav", duration_ms=wish["seconds"] * 1000,
        peaks=bytes(range(0, 250, 5)), is_kept=True,
    )
    recording.file.save("", ContentFile(sound), save=False)
    recording.save()
    RecordingWork.objects.filter(recording=recording).update(due_at=None, **wish["work"])
    print(recording.pk)
"""


SET_PACE = """(pace) => {
    const { play } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.play = function () {
        this.defaultPlaybackRate = this.playbackRate = pace;
        return play.call(this);
    };
}"""


def set_pace(page: Page, pace: float) -> None:
    """How fast recordings are played in this document: at 1 they go on while a slow machine looks; at 0 none does."""
    page.evaluate(SET_PACE, pace)


def said(count: int, step_ms: int) -> list[dict[str, Any]]:
    """Passages one after the other, of two who speak by turns."""
    return [
        {
            "start_ms": place * step_ms,
            "end_ms": (place + 1) * step_ms,
            "speaker": "Ann" if place % 4 < 2 else "Mr. Averylongnamethatgoesonandonandonandon",
            "text": f"Passage {place}.",
        }
        for place in range(count)
    ]


def make_recordings(web: WebServer, *wishes: dict[str, Any]) -> list[str]:
    """In place of all others; each may have `name`, `seconds` and fields of its `work`. Their ids."""
    whole = [
        {"name": f"talk {place}.wav", "seconds": 20, "loudness": 1000 + place, "work": {"state": "done"}, **wish}
        for place, wish in enumerate(wishes)
    ]
    return web.shell(CLEAR + MADE.format(wishes=json.dumps(whole))).split()
