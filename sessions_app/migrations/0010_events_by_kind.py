"""An index for the operator's page. PostgreSQL makes it beside those who write: it may take a while with many rows.

Not within a transaction, where it cannot: a restore makes its tables in one, with nobody beside it.
"""

from django.db import migrations, models

INDEX = models.Index(fields=["kind", "at"], name="event_of_kind")


def _beside(schema_editor):
    connection = schema_editor.connection
    return {"concurrently": True} if connection.vendor == "postgresql" and not connection.in_atomic_block else {}


def add(apps, schema_editor):
    schema_editor.add_index(apps.get_model("sessions_app", "SessionEvent"), INDEX, **_beside(schema_editor))


def remove(apps, schema_editor):
    schema_editor.remove_index(apps.get_model("sessions_app", "SessionEvent"), INDEX, **_beside(schema_editor))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sessions_app", "0009_one_owner")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.AddIndex("sessionevent", INDEX)],
            database_operations=[migrations.RunPython(add, remove)],
        )
    ]
