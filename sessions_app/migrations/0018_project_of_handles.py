"""Whose a handle is, where a provider tells projects apart by name. The version before leaves it empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0017_recordings_at_google")]

    operations = [
        migrations.AddField(
            model_name="resumptionhandle",
            name="project",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Stands for the project on Agent Platform; else empty.",
                max_length=16,
            ),
        ),
    ]
