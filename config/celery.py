"""The Celery application: `celery -A config worker`.

For set-ups with REDIS_URL; without it the web process does the work itself.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("holdline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
