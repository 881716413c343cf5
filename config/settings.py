"""Settings. Every value comes from the environment; `.env.example` explains each variable."""

import os
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from config.env import MAIL_TO_THE_LOG, NO_MAIL, Environment
from config.keys import derive_fernet_keys
from config.secrets_on_disk import read_or_create
from config.translations.catalogues import PSEUDO_LANGUAGE, fingerprint
from energy.places import settled
from sessions_app.user_settings.terms import NAMES as NAMES_OF_USER_SETTINGS
from sessions_app.user_settings.terms import PAGE_LANGUAGES

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

env = Environment(os.environ)

# --- What everything else depends on --------------------------------------------------------------

DEBUG = env.boolean("DEBUG", False)
DATA_DIR = env.directory("HOLDLINE_DATA_DIR", BASE_DIR / "var")

SECRET_KEY = env.string("SECRET_KEY")
if not SECRET_KEY and DEBUG:
    SECRET_KEY = (
        env.attempt(
            lambda: read_or_create(DATA_DIR / "secret_key", lambda: secrets.token_urlsafe(64)),
            "SECRET_KEY is not set and none can be kept in the data directory",
        )
        or ""
    )
elif not SECRET_KEY:
    env.note(
        "E001",
        "SECRET_KEY is not set.",
        "Set it to 50 or more random characters and keep it: sessions and stored handles depend on it.",
    )
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")

# --- Application ----------------------------------------------------------------------------------

INSTALLED_APPS = [
    # It is an app for the sake of `runserver`, which it replaces; no other program need load a server.
    *(("daphne",) if "runserver" in sys.argv[1:2] else ()),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "csp",
    "config",
    "sessions_app",
    "energy",
    "summarization",
]

MIDDLEWARE = [
    "config.middleware.cross_origin_policies",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.permissions_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sessions_app.accounts.middleware.note_browsers",
    "sessions_app.user_settings.page_language.speak_to_users",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.site_address.site_address",
                "django.template.context_processors.i18n",
                "config.translations.languages.language_of_page",
                "sessions_app.user_settings.appearance.appearance",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = list(PAGE_LANGUAGES.items())
if env.boolean("PSEUDO_LANGUAGE", False):
    LANGUAGES.append((PSEUDO_LANGUAGE, "Pseudo-Arabic"))
LOCALE_PATHS = [DATA_DIR / "locale" / fingerprint()]
"""Compiled by the first process that starts, see `config.translations.catalogues`."""

USE_TZ = True
TIME_ZONE = "UTC"

# --- Database -------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    database: dict[str, Any] = env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'holdline.sqlite3'}")
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # Several threads and processes write: wait for the lock at the start of a transaction, where waiting
        # works, instead of failing at its first write. WAL lets readers go on and survives a killed process.
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        }
    else:
        # Django's own persistent connections belong to a thread, and under ASGI threads come and go, so they
        # leak. A pool keeps connections open for whichever thread asks next and bounds their number.
        options.setdefault("pool", {"min_size": 1, "max_size": 10, "timeout": 5})
        options.setdefault("connect_timeout", 5)
        # A process that is suspended in the middle of a transaction holds its locks, and with them the lines of users
        # who have come to another worker: the server ends its transaction then. None of ours waits for anything else.
        options.setdefault("options", "-c idle_in_transaction_session_timeout=5000")
        database |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    return database


DATABASES = {"default": _database()}

# --- Redis: channel layer, cache, broker ----------------------------------------------------------

REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))
REDIS_CONNECT_TIMEOUT_S = 1
REDIS_ANSWER_TIMEOUT_S = 2
REDIS_BLOCKING_TIMEOUT_S = 10

TASKS_IN_PROCESS = not REDIS_URL
"""Without a broker, a thread of the web process does the background work, from the same rows."""

if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "socket_connect_timeout": REDIS_CONNECT_TIMEOUT_S,
                        # The layer waits for messages with a command that blocks for 5 s, as long as the client
                        # waits for any answer by default: every idle listener would fail.
                        "socket_timeout": REDIS_BLOCKING_TIMEOUT_S,
                    }
                ],
                "prefix": "holdline",
            },
        }
    }
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "holdline",
            "OPTIONS": {
                "socket_connect_timeout": REDIS_CONNECT_TIMEOUT_S,
                "socket_timeout": REDIS_ANSWER_TIMEOUT_S,
            },
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Background work ------------------------------------------------------------------------------

LONG_QUEUE, SHORT_QUEUE = "holdline-long", "holdline-short"
"""For what waits for a model or uploads, and for what looks after rows. Workers take from both by default."""

FORMER_QUEUES = ("holdline",)
"""Of the version before: workers still take what it queued before an upgrade. Gone with the version after this one."""

DUE_EVERY_S = 15.0
"""How often somebody looks for what is due and what dead workers had in hand."""

# Work is a row first and a message second, so a message may be lost but must never be waited for: results are
# not kept, publishing is not retried, and a broker that does not answer costs two seconds at most.
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_CONNECTION_TIMEOUT = REDIS_CONNECT_TIMEOUT_S
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": REDIS_CONNECT_TIMEOUT_S,
    "socket_timeout": REDIS_ANSWER_TIMEOUT_S,
    # Redis hands out again what no worker has said to be done for so long. That is not what takes over from a dead
    # worker (the rows do, within a minute), so it may be longer than the longest task: a shorter one would hand out
    # what is being worked at.
    "visibility_timeout": 1800,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
"""A task that kills its process would come back at once, and for ever. Its row is found again, and counts them."""

CELERY_TASK_QUEUES = {
    name: {"exchange": name, "routing_key": name} for name in (SHORT_QUEUE, LONG_QUEUE, *FORMER_QUEUES)
}
CELERY_TASK_CREATE_MISSING_QUEUES = False
"""A name that is misspelt on a command line is refused, instead of being waited at for ever."""

CELERY_TASK_DEFAULT_QUEUE = SHORT_QUEUE
CELERY_TASK_ROUTES = {name: {"queue": LONG_QUEUE} for name in ("summarization.write_*", "summarization.renew_files")}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
"""Remembers nothing: workers do at their start what is scheduled. Two with one file would be in each other's way."""

CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # The process that does the background work runs these, Celery's beat or the thread of the web process. A message
    # that no worker took before the next one is sent is of no use.
    name: {"task": f"summarization.{name}", "schedule": every_s, "options": {"expires": every_s}}
    for name, every_s in (
        ("close_stale_sessions", 60.0),
        ("enqueue_due", DUE_EVERY_S),
        ("purge_expired_handles", 3600.0),
        ("clear_ended_sessions", 3600.0),
        ("prune_history", 3600.0),
        ("prune_throttles", 3600.0),
        ("fold_history", 300.0),
        ("check_left_recordings", 60.0),
        ("purge_expired_files", 60.0),
        ("renew_files", 600.0),
        ("check_models", 86_400.0),
    )
}

# --- Gemini ---------------------------------------------------------------------------------------

GEMINI_API_KEY = env.string("GEMINI_API_KEY", default=env.string("GOOGLE_API_KEY"))
GOOGLE_GEMINI_BASE_URL = env.url("GOOGLE_GEMINI_BASE_URL", ("https", "http"))
GEMINI_API_VERSION = env.choice("GEMINI_API_VERSION", "v1beta", ("v1", "v1beta", "v1alpha"))
SSL_CERT_FILE = env.file("SSL_CERT_FILE")

GOOGLE_GENAI_USE_VERTEXAI = env.boolean("GOOGLE_GENAI_USE_VERTEXAI", False)
"""Whether models without a provider before their name are those of Agent Platform. See `docs/agent-platform.md`."""

GOOGLE_CLOUD_PROJECT = env.string("GOOGLE_CLOUD_PROJECT")
GOOGLE_CLOUD_LOCATION = env.string("GOOGLE_CLOUD_LOCATION")
GOOGLE_APPLICATION_CREDENTIALS = env.file("GOOGLE_APPLICATION_CREDENTIALS")
GOOGLE_VERTEX_BASE_URL = env.url("GOOGLE_VERTEX_BASE_URL", ("https", "http"))
AGENT_PLATFORM_API_VERSION = env.choice("AGENT_PLATFORM_API_VERSION", "v1beta1", ("v1", "v1beta1"))

GOOGLE_CLOUD_ACCESS_TOKEN = env.string("GOOGLE_CLOUD_ACCESS_TOKEN")
"""Instead of credentials that are renewed: the emulator's, which any token is."""


def _models(name: str, default: tuple[str, ...]) -> list[str]:
    """Names of models as they are kept, see `energy.places`."""
    models = env.models(name, default)
    return [settled(model, GOOGLE_CLOUD_LOCATION, is_there_by_default=GOOGLE_GENAI_USE_VERTEXAI) for model in models]


GEMINI_DIAL_WITH_TOKENS = env.boolean("GEMINI_DIAL_WITH_TOKENS", False)
"""Whether live connections are dialled with ephemeral tokens instead of the key: one for each."""

GEMINI_TOKEN_SERVICE_URL = env.url("GEMINI_TOKEN_SERVICE_URL", ("https", "http"))
"""Who makes these tokens, where this process has no key: see `config.token_door`."""

GEMINI_TOKEN_SERVICE_SECRET = env.string("GEMINI_TOKEN_SERVICE_SECRET")
"""What is shown to that service, and what this process wants to see where it is one."""

GEMINI_TOKEN_SERVICE = env.boolean("GEMINI_TOKEN_SERVICE", False)
"""Whether this process is one."""

SWAP_OVERLAP = env.boolean("SWAP_OVERLAP", False)
"""Whether a planned swap dials before it closes the old connection."""

ASSISTANT_INSTRUCTION = env.string(
    "ASSISTANT_INSTRUCTION",
    "You are the voice of Holdline, a helpful and unhurried conversation partner. You are heard, not read: "
    "answer in one to three spoken sentences unless more is asked for, without lists, headings or symbols. "
    "Speak the language of the person you talk with. Remember names, numbers and code words exactly and "
    "repeat them exactly when asked. When you have not understood, say so and ask; never make up what you do "
    "not know.",
)
ASSISTANT_VOICE = env.string("ASSISTANT_VOICE", "Kore")

USER_SETTINGS_LOCKED = env.some_of("USER_SETTINGS_LOCKED", NAMES_OF_USER_SETTINGS)
USER_SETTINGS_DEFAULTS = env.words("USER_SETTINGS_DEFAULTS")
"""What users may not choose for themselves, and what counts for who has chosen nothing, as words such as `theme=dark`;
a system check reads them. See `sessions_app.user_settings.terms`."""

VOICE_SAMPLES = env.boolean("VOICE_SAMPLES", True)
"""Whether users can listen to a voice before they choose it: each is recorded once, in a short live session."""

ENERGY_LADDERS = {
    mode: _models(
        f"{mode.upper()}_MODELS",
        ("gemini-3.8-live", "gemini-live-2.5-flash-native-audio", "gemini-3.8-flash")
        if GOOGLE_GENAI_USE_VERTEXAI
        else ("gemini-3.8-live", "gemini-3.8-live-extended-thinking", "gemini-3.8-flash"),
    )
    for mode in ("call", "text")
}
"""Models per mode, best first. The first is the highest energy level, the last is level 1. Why these:
`docs/decisions/energy.md`."""

TURNS_VOICE_MODELS = _models("TURNS_VOICE_MODELS", ("gemini-3.8-flash-lite-tts", "gemini-3.8-flash-tts"))
"""Models that speak the answers of models in turns; each is asked when the one before it fails."""

LIVE_SESSIONS_MAX = env.integer("LIVE_SESSIONS_MAX", 0, 0, 100_000)
"""Live sessions of the project at once, over all workers; 0 for as many as come."""

FAIR_USE_CALL_MINUTES_PER_DAY = env.integer("FAIR_USE_CALL_MINUTES_PER_DAY", 0, 0, 1_440)
FAIR_USE_SESSIONS = env.integer("FAIR_USE_SESSIONS", 0, 0, 1_000)
FAIR_USE_TOKENS_PER_DAY = env.integer("FAIR_USE_TOKENS_PER_DAY", 0, 0, 1_000_000_000)
"""What one user may have; 0 for as much as they like."""

TOKEN_PRICES = env.string("TOKEN_PRICES")
"""JSON, see `energy.prices`; a system check reads it."""

CONTEXT_CACHE = env.boolean("CONTEXT_CACHE", True)
"""Whether a conversation in turns keeps its beginning in an explicit context cache where that pays. See
`docs/decisions/context-cache.md`."""

CONTEXT_CACHE_TTL_S = env.integer("CONTEXT_CACHE_TTL_S", 3_600, 60, 86_400)
"""How long a context cache is kept that nobody uses, deletes or extends; the provider takes no less than a minute."""

SUMMARY_MODELS = _models("SUMMARY_MODELS", ("gemini-3.8-flash", "gemini-3.5-flash-lite"))
"""Models that write summaries; each is asked when the one before it fails."""

RECORDING_MODELS = _models("RECORDING_MODELS", ("gemini-3.8-flash", "gemini-3.5-flash-lite"))
"""Models that listen to recordings and answer questions about them; each is asked when the one before it fails."""

HANDLE_FERNET_KEYS = env.fernet_keys("HANDLE_KEYS") or derive_fernet_keys([SECRET_KEY, *SECRET_KEY_FALLBACKS])
"""The first key encrypts resumption handles, every key decrypts them."""

HANDLE_VALID_HOURS = env.integer("HANDLE_VALID_HOURS", 2, 1, 24)
"""How long the provider honours a handle after the last connection ended."""

EPHEMERAL_TOKENS = env.boolean("EPHEMERAL_TOKENS", False)
"""Whether users get ephemeral tokens, for clients of their own. See `docs/own-client.md`."""

EPHEMERAL_TOKENS_PER_DAY = env.integer("EPHEMERAL_TOKENS_PER_DAY", 100, 0, 100_000)
"""How many one user may have in 24 hours; 0 for any number."""

EPHEMERAL_TOKEN_MAX_MINUTES = env.integer("EPHEMERAL_TOKEN_MAX_MINUTES", 60, 1, 1_199)
"""How long one may count; the provider makes none for 20 hours or more."""

EPHEMERAL_TOKEN_LOCKS = env.some_of("EPHEMERAL_TOKEN_LOCKS", ("instruction", "voice", "temperature"))
"""What nobody may choose who gets one: see `sessions_app.auth_tokens.terms`."""

# --- History --------------------------------------------------------------------------------------

HISTORY_DAYS = env.integer("HISTORY_DAYS", 0, 0, 36_500)
"""Conversations are deleted so many days after the last word in them; 0 keeps them."""

# --- Recordings -----------------------------------------------------------------------------------

RECORDINGS = env.boolean("RECORDINGS", True)
"""Whether users may upload audio files and ask about them. What they have uploaded stays theirs without it, to hear and
to delete."""

RECORDING_MAX_MB = env.integer("RECORDING_MAX_MB", 200, 1, 2_000)
"""Of one file; the provider takes 2 GB."""

RECORDINGS_MB_PER_USER = env.integer("RECORDINGS_MB_PER_USER", 2_000, 1, 1_000_000)
RECORDINGS_PER_USER = env.integer("RECORDINGS_PER_USER", 500, 1, 100_000)

RECORDING_UPLOADS_AT_ONCE = 3
"""Of one user."""

MEDIA_ROOT = env.directory("MEDIA_ROOT", DATA_DIR / "media")
"""What users upload. It has no address: views that ask who it is give it out."""

RECORDING_UPLOADS_DIR = env.directory("RECORDING_UPLOADS_DIR", DATA_DIR / "uploads")
"""Where files lie until all of them is here; one folder for all web processes and workers."""

# --- People ---------------------------------------------------------------------------------------

SIGNUP_OPEN = env.boolean("SIGNUP_OPEN", DEBUG)

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

PASSWORD_RESET_TIMEOUT = 3600
"""For how long the link in a mail lets somebody set a new password, in seconds."""

# --- Mail -------------------------------------------------------------------------------------------

_mail = env.mail_server("EMAIL_URL", MAIL_TO_THE_LOG if DEBUG else NO_MAIL)
SENDS_MAIL = _mail != NO_MAIL
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.uses_starttls, _mail.uses_tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", "Holdline <holdline@localhost>", is_needed=bool(_mail.host))

# --- Security -------------------------------------------------------------------------------------

ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", LOOPBACK_HOSTS, DEBUG)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")

HTTPS_ONLY = env.boolean("HTTPS_ONLY", not DEBUG and not set(ALLOWED_HOSTS) <= set(LOOPBACK_HOSTS))
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # probes come straight to the port, without the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
X_FRAME_OPTIONS = "DENY"

TRUST_PROXY = env.boolean("TRUST_PROXY", False)
"""Only behind a proxy that sets `X-Forwarded-Proto` and appends to `X-Forwarded-For` itself: anybody else could claim
to have come by HTTPS, or from another address."""

if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

METRICS_TOKEN = env.string("METRICS_TOKEN")
"""Who has it may read `/metrics`; without one, whoever comes from this machine itself. See `config.metrics.door`."""

OTEL_EXPORTER_OTLP_ENDPOINT = env.url("OTEL_EXPORTER_OTLP_ENDPOINT", ("https", "http"))
if OTEL_EXPORTER_OTLP_ENDPOINT and not all(map(find_spec, ("opentelemetry", "opentelemetry.sdk"))):
    env.note(
        "E013",
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what sends traces there is not installed.",
        "Install requirements-otel.txt as well, or do not set it.",
    )

MCP = env.boolean("MCP", False)
"""Whether other programs of users may reach what is theirs by MCP: at `/mcp`, and by `manage.py mcp`. See
`docs/mcp.md`."""

if MCP and find_spec("mcp") is None:
    env.note(
        "E014",
        "MCP=1 is set, and what speaks MCP is not installed.",
        "Install requirements-mcp.txt as well, or do not set it.",
    )

CSP_REPORTS_URL = "/csp-reports/"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],  # the nonce is for an import map, which cannot be a file
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],  # but in the admin, see `config.middleware`
        "trusted-types": ["dompurify"],  # nobody else makes HTML or addresses of scripts out of text
        "report-to": ["csp"],  # an endpoint that `config.middleware` names; with TLS only
        "report-uri": [CSP_REPORTS_URL],  # for browsers that know no endpoints, and pages without TLS
    }
}

# --- Static files ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
env.attempt(lambda: STATIC_ROOT.mkdir(exist_ok=True), f"{STATIC_ROOT} cannot be made")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static_files.HashedStaticFiles"},
}
# Until `collectstatic` has run, files are served from where they are written, under their plain names.
WHITENOISE_USE_FINDERS = DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()

# --- Logs -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "console": {"()": "config.logs.ConsoleFormatter"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.choice("LOG_FORMAT", "console", ("console", "json")),
        },
    },
    "root": {
        "handlers": ["stderr"],
        "level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
    "loggers": {
        # Django adds handlers of its own to these two; one line for one event is enough.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # Frames are logged below these levels by the libraries, with what was said in them.
        "websockets": {"level": "WARNING"},
        "google_genai": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "mcp": {"level": "WARNING"},
        "sse_starlette": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}

env.refuse_if_wrong()
