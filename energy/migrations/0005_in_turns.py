"""Levels that need no Live connection: what is said when one is come to, and why, are known to the rows."""

import json
from pathlib import Path

from django.db import migrations, models

FILE = Path(__file__).parent.parent / "notices.json"
OCCASION = "in_turns"
REASONS = ["rate-limit-exceeded", "session-reset", "quota-reset", "outage", "manual"]
KINDS = ["minute", "day", "concurrency", "unknown", "missing", "outage"]
OCCASIONS = ["lower", "exhausted", "replaced", "in_turns", "restored"]


def _choices(values):
    return [(value, value) for value in values]


def load(apps, schema_editor):
    """For the personas that are still there; a new database has these notices already."""
    Persona, Notice = apps.get_model("energy", "Persona"), apps.get_model("energy", "Notice")
    for slug, delivered in json.loads(FILE.read_text(encoding="utf-8")).items():
        persona = Persona.objects.filter(slug=slug).first()
        if persona is None:
            continue
        Notice.objects.bulk_create(
            [
                Notice(persona=persona, mode=mode, level=int(level), occasion=OCCASION, text=text)
                for mode, occasions in delivered["notices"].items()
                for level, text in occasions[OCCASION].items()
            ],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("energy", "0004_ladders_of_any_length")]

    operations = [
        migrations.RemoveConstraint(model_name="energychange", name="energy_change_reason_known"),
        migrations.AlterField(
            model_name="energychange",
            name="reason",
            field=models.CharField(choices=_choices(REASONS), max_length=20),
        ),
        migrations.AddConstraint(
            model_name="energychange",
            constraint=models.CheckConstraint(
                condition=models.Q(reason__in=REASONS), name="energy_change_reason_known"
            ),
        ),
        migrations.AlterField(
            model_name="modelquota",
            name="kind",
            field=models.CharField(blank=True, choices=_choices(KINDS), max_length=11),
        ),
        migrations.AlterField(
            model_name="notice",
            name="occasion",
            field=models.CharField(choices=_choices(OCCASIONS), max_length=9),
        ),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
