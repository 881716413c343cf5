"""Typed reading of environment variables that collects every problem before it refuses.

A wrong set-up should cost one attempt, not one per mistake: each reader returns a usable value even when the
variable is wrong, notes the problem, and `refuse_if_wrong` prints them all and ends the process.

Ids:
    holdline.E001  a required value is missing
    holdline.E002  not a yes-or-no value
    holdline.E003  not a whole number, or out of range
    holdline.E004  not a URL or origin of the expected kind
    holdline.E005  DATABASE_URL cannot be used
    holdline.E006  ALLOWED_HOSTS would accept every host
    holdline.E007  not one of the allowed words
    holdline.E008  not a Fernet key
    holdline.E009  a file or directory cannot be used
    holdline.E010  a list of models is empty or repeats itself
    holdline.E011  EMAIL_URL cannot be used
    holdline.E012  not an e-mail address
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

import dj_database_url
from cryptography.fernet import Fernet

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")

MAIL_SCHEMES = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
"""How a mail server is spoken to, with its usual port: in the clear, STARTTLS, TLS from the start."""

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the set-up: an id, a sentence and what to do about it."""

    id: str
    sentence: str
    hint: str

    def __str__(self) -> str:
        return f"{self.id}: {self.sentence} {self.hint}"


@dataclass(frozen=True)
class MailServer:
    """Where mail goes: the values of Django's `EMAIL_...` settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    uses_starttls: bool = False
    uses_tls: bool = False


MAIL_TO_THE_LOG = MailServer("django.core.mail.backends.console.EmailBackend")
NO_MAIL = MailServer("django.core.mail.backends.dummy.EmailBackend")


def refuse(problems: Iterable[object]) -> NoReturn:
    """Print each problem on stderr and end the process with code 1, without a traceback: raises SystemExit."""
    print("Holdline does not start with this set-up:", file=sys.stderr)
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    raise SystemExit(1)


class Environment:
    """Reads variables from a mapping; an empty value counts as not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.problems: list[Problem] = []
        self.names: set[str] = set()
        """Every name that was asked for, so that a test can compare them with `.env.example`."""

    def refuse_if_wrong(self) -> None:
        """End the process with all problems on stderr if there are any."""
        if self.problems:
            refuse(self.problems)

    def note(self, id: str, sentence: str, hint: str) -> None:
        """Remember a problem under its short id, such as `E004`."""
        self.problems.append(Problem(f"holdline.{id}", sentence, hint))

    def string(self, name: str, default: str = "") -> str:
        self.names.add(name)
        return self._variables.get(name, "").strip() or default

    def boolean(self, name: str, default: bool) -> bool:
        word = self.string(name).lower()
        if not word:
            return default
        if word not in TRUE_WORDS | FALSE_WORDS:
            self.note("E002", f"{name} is {word!r}, which is neither yes nor no.", "Use 1 or 0.")
            return default
        return word in TRUE_WORDS

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        text = self.string(name)
        if not text:
            return default
        try:
            number = int(text)
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= maximum:
            self.note(
                "E003",
                f"{name} is {text!r}, which is not a whole number from {minimum} to {maximum}.",
                f"Leave it out for {default}.",
            )
            return default
        return number

    def words(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """Words separated by commas; blanks around them do not count."""
        words = [word.strip() for word in self.string(name).split(",")]
        return [word for word in words if word] or list(default)

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        word = self.string(name, default)
        allowed = tuple(choices)
        if word not in allowed:
            self.note("E007", f"{name} is {word!r}, which means nothing here.", f"Use one of {', '.join(allowed)}.")
            return default
        return word

    def some_of(self, name: str, allowed: Iterable[str]) -> list[str]:
        """Words of a list; none by default."""
        words, allowed = self.words(name), tuple(allowed)
        if unknown := [word for word in words if word not in allowed]:
            self.note(
                "E007", f"{name} has {unknown[0]!r}, which means nothing here.", f"Use any of {', '.join(allowed)}."
            )
        return [word for word in words if word in allowed]

    def models(self, name: str, default: Iterable[str]) -> list[str]:
        """Names of models, best first, each only once."""
        models = self.words(name, default)
        if len(set(models)) < len(models) or (self.string(name) and not self.words(name)):
            self.note(
                "E010",
                f"{name} is {self.string(name)!r}, which is not a list of different models.",
                "Name each model once, best first, separated by commas.",
            )
        return models

    def url(self, name: str, schemes: tuple[str, ...]) -> str:
        """A URL with one of these schemes, or an empty string when the variable is not set."""
        text = self.string(name)
        if text and not _is_url(text, schemes):
            self._note_url(name, text, schemes)
            return ""
        return text

    def origins(self, name: str) -> list[str]:
        """Origins such as https://example.org, separated by commas."""
        origins = self.words(name)
        for origin in origins:
            if not _is_url(origin, ("http", "https")):
                self._note_url(name, origin, ("http", "https"))
        return origins

    def hosts(self, name: str, default: Iterable[str], debug: bool) -> list[str]:
        """Host names that are answered to; outside of debugging `*` is refused."""
        hosts = self.words(name, default)
        if "*" in hosts and not debug:
            self.note(
                "E006",
                f"{name} contains '*', which lets pages of any site open a socket here.",
                "Name the hosts this server is reached by.",
            )
        return hosts

    def database(self, name: str, default: str) -> dict[str, object]:
        """The `DATABASES` entry for a URL; SQLite and PostgreSQL are supported."""
        text = self.string(name, default)
        hint = "Use sqlite:///file.sqlite3 or postgresql://user:password@host:5432/name."
        if urlsplit_or_none(text) is None or text.split("://")[0] not in DATABASE_SCHEMES:
            self.note("E005", f"{name} does not begin with {' or '.join(DATABASE_SCHEMES)}://.", hint)
            text = default
        try:
            parsed = dict(dj_database_url.parse(text))
        except (ValueError, dj_database_url.ParseError):
            # The text is not repeated: it may hold a password.
            self.note("E005", f"{name} cannot be read as the URL of a database.", hint)
            return dict(dj_database_url.parse(default))
        if not parsed["NAME"]:
            self.note("E005", f"{name} names no database.", hint)
        return parsed

    def mail_server(self, name: str, default: MailServer) -> MailServer:
        """Where mail goes, from `smtps://user:password@host:465` (see `MAIL_SCHEMES`) or `console:`."""
        text = self.string(name)
        if not text:
            return default
        if text == "console:":
            return MAIL_TO_THE_LOG
        parts = urlsplit_or_none(text)
        is_more = parts is not None and (parts.path.strip("/") or parts.query or parts.fragment)
        if parts is None or parts.scheme not in MAIL_SCHEMES or not parts.hostname or is_more:
            # The text is not repeated: it may hold a password.
            self.note(
                "E011",
                f"{name} cannot be read as the URL of a mail server.",
                "Use smtps://user:password@host:465, smtp+tls://... (STARTTLS), smtp://... (in the clear) or console:, "
                "with what is special in user or password written as %40 and the like.",
            )
            return default
        return MailServer(
            "django.core.mail.backends.smtp.EmailBackend",
            parts.hostname,
            parts.port or MAIL_SCHEMES[parts.scheme],
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            uses_starttls=parts.scheme == "smtp+tls",
            uses_tls=parts.scheme == "smtps",
        )

    def sender(self, name: str, default: str, is_needed: bool) -> str:
        """The sender of mails, `Name <name@host>` or `name@host`."""
        text = self.string(name)
        if is_needed and not text:
            self.note(
                "E001",
                f"{name} is not set, though there is a mail server.",
                "Set it to an address that your mail server lets send.",
            )
        address = parseaddr(text)[1]
        if text and ("@" not in address.strip("@") or "\n" in text or "\r" in text):
            self.note("E012", f"{name} is {text!r}, which is no address.", "Use Holdline <name@host>.")
        return text or default

    def fernet_keys(self, name: str) -> list[str]:
        """Fernet keys, the one that encrypts first; empty when the variable is not set."""
        keys = self.words(name)
        for position, key in enumerate(keys, start=1):
            try:
                Fernet(key)
            except ValueError:
                self.note(
                    "E008",
                    f"{name} holds something at place {position} that is not a Fernet key.",
                    "Make one with: python -c 'from cryptography.fernet import Fernet; "
                    "print(Fernet.generate_key().decode())'",
                )
        return keys

    def file(self, name: str) -> str:
        """The path of a file that exists, or an empty string when the variable is not set."""
        text = self.string(name)
        if text and not Path(text).is_file():
            self.note("E009", f"{name} names a file that is not there: {text}.", "Correct the path or leave it out.")
        return text

    def directory(self, name: str, default: Path) -> Path:
        """A directory of this program alone, made when it is missing."""
        path = Path(self.string(name, str(default))).absolute()
        self.attempt(
            lambda: path.mkdir(mode=0o700, parents=True, exist_ok=True),
            f"{name} is {path}, which cannot be made or used as a directory",
        )
        return path

    def attempt(self, action: Callable[[], T], failure: str) -> T | None:
        """The result of a file operation; an `OSError` becomes a problem that begins with `failure`."""
        try:
            return action()
        except OSError as error:
            self.note("E009", f"{failure}: {error.strerror}.", "Name a place that this user may write to.")
            return None

    def _note_url(self, name: str, text: str, schemes: tuple[str, ...]) -> None:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        shown = text.rsplit("@", 1)[-1]  # whatever stands before the @ may be a password
        self.note(
            "E004",
            f"{name} is {shown!r}, which is not a URL that begins with {expected}.",
            "Write it in full.",
        )


def urlsplit_or_none(text: str) -> SplitResult | None:
    """The parts of a URL, or None when even its outline is wrong (a bad port, an open bracket)."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    parts = urlsplit_or_none(text)
    return parts is not None and parts.scheme in schemes and bool(parts.netloc or parts.scheme == "unix")
