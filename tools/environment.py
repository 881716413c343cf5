"""The environment in which the programs of a checkout run on a laptop."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from config.secrets_on_disk import read_or_create
from tools.paths import BASE
from tools.telling import Refusal

Environment = dict[str, str]


def laptop_environment() -> Environment:
    """The environment of the web server and of `manage.py` on a laptop.

    What is set in the environment wins over `.env`, and both win over the defaults of a laptop.
    """
    environment = {**env_file(BASE / ".env"), **os.environ}
    environment.setdefault("HOLDLINE_DATA_DIR", str(BASE / "var"))
    environment.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
    environment.setdefault("SIGNUP_OPEN", "1")
    environment.setdefault("EMAIL_URL", "console:")
    environment["PYTHONUNBUFFERED"] = "1"
    if not environment.get("SECRET_KEY"):
        environment["SECRET_KEY"] = read_or_create(
            data_directory(environment) / "secret_key", lambda: secrets.token_urlsafe(64)
        )
    return environment


def env_file(path: Path) -> Environment:
    """The variables of a file of KEY=VALUE lines; quotes around a value are taken off. Raises `Refusal`."""
    variables: Environment = {}
    if not path.exists():
        return variables
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise Refusal(f"Line {number} of {path.name} is not of the form NAME=value.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        variables[name.strip()] = value
    return variables


def data_directory(environment: Mapping[str, str]) -> Path:
    return Path(environment["HOLDLINE_DATA_DIR"]).absolute()
