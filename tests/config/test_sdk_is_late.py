"""google-genai is loaded by the processes that need it, when they need it, and never on the event loop."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google import genai
from pytest_django import Settings

from config.composition import gemini_upstream, turns_upstream
from sessions_app.live.machine.failures import History, Phase, Verdict, judge
from sessions_app.live.providers.late_upstream import LateUpstream
from sessions_app.live.providers.upstream import Setup, Upstream, UpstreamFailed
from tests.config.commands import SECRET_KEY, clean_environment, run_python

SETUP = Setup("gemini-3.8-live", "You are kind.", "Kore")
NOBODY = "https://127.0.0.1:9"

TELL = "\nimport sys; print('google.genai' in sys.modules)"
CHECK = "import sys; sys.argv = ['manage.py', 'check']\nimport runpy\nrunpy.run_path('manage.py', run_name='__main__')"
ASGI = "import config.asgi"
CELERY = "from config.celery import app\napp.loader.import_default_modules()"

SERVE = """
import asyncio, sys, threading

class Watch:
    seen = None
    is_seen = threading.Event()

    def find_spec(self, name, path, target=None):
        if name == "google.genai":
            Watch.seen = threading.current_thread()
            Watch.is_seen.set()

sys.meta_path.insert(0, Watch())
import config.asgi

async def serve():
    said = asyncio.Queue()
    said.put_nowait({"type": "lifespan.startup"})
    asyncio.create_task(config.asgi.application({"type": "lifespan"}, said.get, lambda message: asyncio.sleep(0)))
    await asyncio.to_thread(Watch.is_seen.wait, 60)

assert Watch.seen is None
asyncio.run(serve())
print(Watch.seen is not threading.main_thread())
"""


def last_line_of(program: str, database: Path) -> str:
    environment = clean_environment(
        SECRET_KEY=SECRET_KEY,
        DEBUG="1",
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=f"sqlite:///{database}",
        GEMINI_API_KEY="a-key",
    )
    done = run_python("-c", program, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("program", [CHECK, ASGI, CELERY], ids=["manage.py check", "config.asgi", "celery"])
def test_no_process_loads_the_sdk_only_because_it_starts(program: str, tmp_path: Path) -> None:
    assert last_line_of(program + TELL, tmp_path / "db") == "False"


def test_a_server_loads_the_sdk_once_it_runs_and_beside_the_event_loop(tmp_path: Path) -> None:
    assert last_line_of(SERVE, tmp_path / "db") == "True"


async def test_the_first_client_is_made_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.GEMINI_API_KEY = "a-key"
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", NOBODY)
    made_in: list[threading.Thread] = []

    class Client(genai.Client):
        def __init__(self, **arguments: Any) -> None:
            made_in.append(threading.current_thread())
            super().__init__(**arguments)

    monkeypatch.setattr(genai, "Client", Client)
    upstream = LateUpstream(gemini_upstream)
    dials = [upstream.connect(SETUP) for _ in range(3)]
    for failed in await asyncio.gather(*dials, return_exceptions=True):
        assert isinstance(failed, UpstreamFailed)
        assert failed.failure.phase is Phase.HANDSHAKE
    assert len(made_in) == 1
    assert made_in[0] is not threading.current_thread()


@pytest.mark.parametrize("make", [gemini_upstream, turns_upstream])
async def test_without_a_key_every_dial_says_so_and_none_is_repeated(
    settings: Settings, make: Callable[[], Upstream]
) -> None:
    settings.GEMINI_API_KEY = ""
    upstream = LateUpstream(make)
    upstream.prepare()
    for _ in range(2):
        with pytest.raises(UpstreamFailed) as failed:
            await upstream.connect(SETUP)
        judgement = judge(failed.value.failure, History())
        assert (judgement.verdict, judgement.reason) == (Verdict.STOP, "bad-key")
