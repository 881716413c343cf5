"""The web server as users run it: a process of its own with a database of its own."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from config.translations import catalogues
from tests.services.cast import PASSWORD
from tests.services.databases import new_database
from tests.services.prepared import run_prepared
from tests.services.processes import ANSWERS_WITHIN_S, HANGS_AFTER_S, PreparedProgram, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = ROOT / "var" / "cache" / "locale"
SMALL_MESSAGES = ("--ws-max-size", "524288", "--ws-per-message-deflate", "false")
"""As the README starts uvicorn: large or compressed messages are refused before they are inflated."""

SERVERS = {
    "daphne": ("daphne", "-b", "127.0.0.1", "-p"),
    "uvicorn": ("uvicorn", "--host", "127.0.0.1", *SMALL_MESSAGES, "--port"),
}
CARELESS = {"careless uvicorn": ("uvicorn", "--host", "127.0.0.1", "--port")}
"""With uvicorn's own defaults."""


def _lend_words(directory: Path) -> None:
    """Every server would compile the words of other languages anew, for its data directory is a new one."""
    catalogues.ensure_compiled(WORDS / catalogues.fingerprint())
    if not (directory / WORDS.name).exists():
        (directory / WORDS.name).symlink_to(WORDS)


class WebServer:
    """A running server with the cast of the tests as its users.

    `kind` is `daphne` or `uvicorn`; `environment` is laid over the tests' own, usually the emulator's; `application`
    what it serves.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        kind: str = "daphne",
        application: str = "config.asgi:application",
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        _lend_words(directory)
        self.kind = kind
        self._application = application
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self._log = directory / "web.log"
        self._sessions: dict[str, str] = {}
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.services.web_settings",
            "HOLDLINE_DATA_DIR": str(directory),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        if "DATABASE_URL" not in environment:
            self._environment["DATABASE_URL"] = new_database(directory, self._environment)
        self.start()

    @property
    def database_url(self) -> str:
        """For another worker at the same database."""
        return self._environment["DATABASE_URL"]

    @property
    def environment(self) -> Mapping[str, str]:
        """For another program at the same database."""
        return self._environment

    @property
    def pid(self) -> int:
        return self._program.pid

    def peak_kb(self) -> int:
        """The most memory that the process had resident so far; Linux only."""
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    @property
    def running(self) -> bool:
        return self._program.running

    def start(self) -> None:
        """Start the process, again after a stop; returns when it answers."""
        module, *options = (SERVERS | CARELESS)[self.kind]
        self._program = PreparedProgram(
            module,
            [*options, str(self.port), self._application],
            self._environment,
            self._log,
            ROOT,
        )
        try:
            self._program.wait_until(self._answers, HANGS_AFTER_S, "an answer of the web server")
        except BaseException:
            self._program.stop()
            raise

    def send(self, number: signal.Signals) -> None:
        self._program.send(number)

    def wait(self) -> int:
        """Its exit code, negative for a signal."""
        return self._program.wait()

    def stop(self) -> int:
        """SIGTERM and wait; its exit code."""
        return self._program.stop()

    def log(self) -> str:
        """Everything the process has written."""
        return self._program.output()

    def log_in(self, name: str) -> str:
        """Log a member of the cast in through the form, once; the Cookie header of the session."""
        if name not in self._sessions:
            self._sessions[name] = self._log_in(name)
        return self._sessions[name]

    def _log_in(self, name: str) -> str:
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        form = f"{self.url}/accounts/login/"
        browser.open(form, timeout=ANSWERS_WITHIN_S).close()
        token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
        fields = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token}
        browser.open(form, urlencode(fields).encode(), timeout=ANSWERS_WITHIN_S).close()
        return next(f"sessionid={cookie.value}" for cookie in jar if cookie.name == "sessionid")

    def move(self, database_url: str) -> None:
        """Use another database from the next start on."""
        self._environment["DATABASE_URL"] = database_url

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints with these arguments, the server's environment and its database."""
        done = run_prepared("manage", arguments, self._environment, ROOT)
        if done.returncode:
            raise RuntimeError(f"{arguments} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, code: str) -> str:
        """What `code` prints when it is run with Django and the server's database at hand."""
        return self.manage("shell", "--no-imports", "-c", code)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
