"""Which recordings a turn is about. The version before leaves it empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0022_tool_calls")]

    operations = [
        migrations.AddField(
            model_name="turn",
            name="recordings",
            field=models.JSONField(
                blank=True, help_text="Ids of the recordings that it asks about, or answers about.", null=True
            ),
        ),
    ]
