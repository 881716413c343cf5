"""When a file that is on its way was last changed, by which another of its name and size is told from it. The version
before leaves it empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0018_project_of_handles")]

    operations = [
        migrations.AddField(
            model_name="recordingupload",
            name="modified_ms",
            field=models.PositiveBigIntegerField(
                blank=True,
                help_text="Since the epoch, when the file was last changed where it came from.",
                null=True,
            ),
        ),
    ]
