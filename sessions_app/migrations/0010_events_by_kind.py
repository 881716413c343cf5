"""An index for the operator's page. PostgreSQL makes it beside those who write: it may take a while with many rows."""

from django.db import migrations, models

INDEX = models.Index(fields=["kind", "at"], name="event_of_kind")


def _beside(schema_editor):
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}


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
