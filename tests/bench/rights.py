"""`python -m tests.bench.rights`: how soon somebody loses the line who loses the right to it, and what is left of it.

Each right that can end, on both servers, with a channel layer that is there and with one that is away.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.page import Page
from tests.services.emulator import Emulator
from tests.services.processes import free_port
from tests.services.settings import use_settings_of_tests
from tests.services.valkey import running_valkey
from tests.services.web import WebServer

LIMIT_S = 5.0
AFTERWARDS_S = 2.0

USER = "from django.contrib.auth.models import User; user = User.objects.get(username='{name}'); "
SESSIONS = "from django.contrib.sessions.models import Session; "
RIGHTS = {
    "log-out": "from django.test import Client; client = Client(); client.cookies['sessionid'] = '{session}'; "
    "client.post('/accounts/logout/', headers={{'host': 'localhost'}})",
    "deactivation": USER + "user.is_active = False; user.save()",
    "new password": USER + "user.set_password('another'); user.save()",
    "session expired": SESSIONS + "from datetime import timedelta; from django.utils import timezone; "
    "Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))",
    "account deleted": USER + "user.delete()",
    "account deleted by its page": USER + "from sessions_app.accounts import deletion; deletion.delete_account(user)",
    "logged out by another browser": USER
    + "from sessions_app.accounts import browsers; browsers.log_out_others(user, None)",
    "logged out everywhere": SESSIONS + "Session.objects.all().delete()",
}
"""What ends each, done by a process of its own: nothing of it is known to the one that holds the socket."""

STORED = "from sessions_app.models import Turn; print(Turn.objects.filter(text='after').count())"


@dataclass(frozen=True)
class Loss:
    """What became of two pages whose right ended. `seconds`: from then to the close code of the one that was silent."""

    right: str
    server: str
    layer: str
    codes: set[int | None]
    seconds: float
    stored: int
    lines: int

    @property
    def is_well(self) -> bool:
        return (self.codes, self.stored, self.lines) == ({4401}, 0, 0) and self.seconds <= LIMIT_S


async def lose(web: WebServer, emulator: Emulator, right: str, layer: str) -> Loss:
    """One user says nothing when the right ends, and another types something at once."""
    silent, seconds = await end(web, right, "alice")
    typing, _ = await end(web, right, "bob", "after")
    await asyncio.sleep(AFTERWARDS_S)
    stored = int((await asyncio.to_thread(web.shell, STORED)).split()[-1])
    codes = {silent.close_code, typing.close_code}
    return Loss(right, web.kind, layer, codes, seconds, stored, len(emulator.connections()))


async def end(web: WebServer, right: str, name: str, words: str = "") -> tuple[Page, float]:
    """End a right while a chat is open, and say `words` then; gives the page, and the seconds until it was closed."""
    page = Page(web, "text", name)
    await page.connect()
    await page.start()
    closing = asyncio.create_task(closed_at(page))
    session = next(pair.split("=")[1] for pair in page.cookies.split("; ") if pair.startswith("sessionid"))
    code = RIGHTS[right].format(session=session, name=name) + "; import time; print(time.time())"
    ended_at = float((await asyncio.to_thread(web.shell, code)).split()[-1])
    if words and page.close_code is None:
        await page.say(words)
    return page, max(0.0, await closing - ended_at)


async def closed_at(page: Page) -> float:
    """The Unix time at which the page is closed."""
    await page.wait_closed()
    return time.time()


@contextmanager
def layers() -> Iterator[dict[str, str]]:
    """What the channel layer is, by the value of `REDIS_URL`."""
    with running_valkey() as url:
        yield {"there": url, "away": f"redis://127.0.0.1:{free_port()}/0"}


def row(loss: Loss) -> str:
    codes = ", ".join(str(code) for code in loss.codes)
    return (
        f"| {loss.right} | {loss.server} | {loss.layer} | {codes} | {loss.seconds:.1f} | {loss.stored} | {loss.lines} |"
    )


def main() -> None:

    use_settings_of_tests()
    losses: list[Loss] = []
    with tempfile.TemporaryDirectory() as name, layers() as urls:
        print("| right | server | layer | close code | seconds | words stored | lines left |")
        print("| --- | --- | --- | ---: | ---: | ---: | ---: |", flush=True)
        emulator = Emulator(Path(name) / "emulator")
        for server in ("daphne", "uvicorn"):
            for layer, url in urls.items():
                for number, right in enumerate(RIGHTS):
                    directory = Path(name) / f"{server}-{layer}-{number}"
                    web = WebServer(directory, {**emulator.environment, "REDIS_URL": url}, server)
                    loss = asyncio.run(lose(web, emulator, right, layer))
                    web.stop()
                    print(row(loss), flush=True)
                    losses.append(loss)
        emulator.stop()
    if not all(loss.is_well for loss in losses):
        raise SystemExit("somebody kept what was not theirs any more")


if __name__ == "__main__":
    main()
