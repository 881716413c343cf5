"""The project's settings as tests use them: of the developer's environment only the services to use."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

SERVICES = ("DATABASE_URL", "REDIS_URL")
"""Variables that tests keep, so that the same tests run on other services."""

OURS = {
    "SECRET_KEY": "the-key-of-the-tests-which-is-long-enough-to-satisfy-every-check",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "HTTPS_ONLY": "0",
    "SIGNUP_OPEN": "1",
    "RECORDINGS": "1",
    "HOLDLINE_DATA_DIR": tempfile.mkdtemp(prefix="holdline-tests-"),
    "GEMINI_API_KEY": "no-key",
    "GOOGLE_GEMINI_BASE_URL": "https://127.0.0.1:9",  # nobody listens there: tests never leave the machine
}

PATIENCE_S = 60
"""For what a service answers at once, unless the machine is busy with everything else that is tested."""


def _documented_names() -> list[str]:
    """Every variable the project reads, from the page that lists them."""
    page = (Path(__file__).resolve().parent.parent / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"^#?([A-Z_]+)=", page, re.MULTILINE)


for name in _documented_names():
    if name not in SERVICES:
        os.environ.pop(name, None)
os.environ.update(OURS)
atexit.register(shutil.rmtree, OURS["HOLDLINE_DATA_DIR"], ignore_errors=True)

from config.settings import *  # noqa: E402, F403
from config.settings import (  # noqa: E402
    CACHES,
    CELERY_BROKER_TRANSPORT_OPTIONS,
    CHANNEL_LAYERS,
    DATA_DIR,
    DATABASES,
    MIDDLEWARE,
    REDIS_URL,
)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # accounts are made by the hundred
MIDDLEWARE = [
    "tests.static_files.ScannedOnce" if name == "whitenoise.middleware.WhiteNoiseMiddleware" else name
    for name in MIDDLEWARE
]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file rather than memory: consumers reach the database from other threads, as in production.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    # A test is one transaction, and a machine that is busy with others may leave it idle for longer than a request.
    DATABASES["default"]["OPTIONS"]["options"] = "-c idle_in_transaction_session_timeout=0"
    DATABASES["default"]["OPTIONS"]["connect_timeout"] = PATIENCE_S
    DATABASES["default"]["OPTIONS"]["pool"]["timeout"] = PATIENCE_S

if REDIS_URL:
    CELERY_BROKER_CONNECTION_TIMEOUT = PATIENCE_S
    (_host,) = CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    for _options in (_host, CACHES["default"]["OPTIONS"], CELERY_BROKER_TRANSPORT_OPTIONS):
        _options |= {"socket_connect_timeout": PATIENCE_S, "socket_timeout": PATIENCE_S}
