"""The Celery application: `celery -A config worker`.

For set-ups with REDIS_URL; without it the web process does the work itself.
"""

import os
import signal
import threading
import time
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init, setup_logging

LOOKS_FOR_ITS_WORKER_EVERY_S = 1.0

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("holdline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_alone(**kwargs: Any) -> None:
    """Workers log as the web process does, as the settings say: Celery sets up its own logging if nobody listens."""


@beat_embedded_init.connect
def end_with_the_worker(**kwargs: Any) -> None:
    """A beat that a worker brings with it (`--beat`) is a process, and would go on when the worker is killed."""
    worker = os.getppid()

    def watch() -> None:
        while os.getppid() == worker:
            time.sleep(LOOKS_FOR_ITS_WORKER_EVERY_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="worker-watch", daemon=True).start()
