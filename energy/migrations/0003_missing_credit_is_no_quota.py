"""Missing credit stops a session instead of standing in the ledger; what stands there is forgotten."""

from django.db import migrations, models


def forget(apps, schema_editor):
    apps.get_model("energy", "ModelQuota").objects.filter(kind="billing").delete()


class Migration(migrations.Migration):
    dependencies = [("energy", "0002_notices")]
    operations = [
        migrations.RunPython(forget, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="modelquota",
            name="kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("minute", "minute"),
                    ("day", "day"),
                    ("concurrency", "concurrency"),
                    ("unknown", "unknown"),
                    ("missing", "missing"),
                ],
                max_length=11,
            ),
        ),
    ]
