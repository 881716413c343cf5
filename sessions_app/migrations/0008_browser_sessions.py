import datetime
import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import migrations, models
from django.utils import timezone

BATCH = 500


def note_those_who_are_logged_in(apps, schema_editor):
    """Nobody is logged out by the upgrade, and what has lasted since before it can be seen and ended, too."""
    BrowserSession = apps.get_model("sessions_app", "BrowserSession")
    user_model = apps.get_model(settings.AUTH_USER_MODEL)
    users = {str(id): id for id in user_model.objects.values_list("pk", flat=True)}
    sessions = apps.get_model("sessions", "Session").objects.filter(expire_date__gt=timezone.now())
    lifetime = datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    store = SessionStore()
    rows = []
    for session in sessions.iterator(BATCH):
        user_id = users.get(store.decode(session.session_data).get(SESSION_KEY))
        if user_id is not None:
            since = session.expire_date - lifetime  # it was written last then, which is at the log-in
            rows.append(
                BrowserSession(user_id=user_id, session=session, browser="A browser", logged_in_at=since, seen_at=since)
            )
    BrowserSession.objects.bulk_create(rows, BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("sessions", "0001_initial"),
        ("sessions_app", "0007_throttle"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("browser", models.CharField(help_text="In the words of people: Firefox on Linux.", max_length=80)),
                ("logged_in_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "seen_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="To within five minutes."),
                ),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_session",
                        to="sessions.session",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-seen_at"],
                "indexes": [models.Index(fields=["user", "-seen_at"], name="browser_session_of_user")],
            },
        ),
        migrations.RunPython(note_those_who_are_logged_in, migrations.RunPython.noop),
    ]
