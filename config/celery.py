"""The Celery application: `celery -A config worker`.

For set-ups with REDIS_URL; without it the web process does the work itself.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("holdline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def leave_logging_alone(**kwargs: Any) -> None:
    """Workers log as the web process does, as the settings say: Celery sets up its own logging if nobody listens."""
