from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("energy", "0003_missing_credit_is_no_quota")]

    operations = [
        migrations.RemoveConstraint(model_name="energystate", name="energy_state_level_exists"),
        migrations.AlterField(
            model_name="notice",
            name="level",
            field=models.PositiveSmallIntegerField(
                help_text="The level that was come to, on a ladder of three models for calls and of two for text "
                "chats; on others the one with the same word."
            ),
        ),
        migrations.AddConstraint(
            model_name="energystate",
            constraint=models.CheckConstraint(condition=models.Q(level__lte=9), name="energy_state_level_exists"),
        ),
    ]
