"""The personas and notices that come with Holdline, as rows that the operator may edit or delete."""

import json
from pathlib import Path

from django.db import migrations

FILE = Path(__file__).parent.parent / "notices.json"


def load(apps, schema_editor):
    Persona, Notice = apps.get_model("energy", "Persona"), apps.get_model("energy", "Notice")
    for slug, delivered in json.loads(FILE.read_text(encoding="utf-8")).items():
        persona = Persona.objects.create(slug=slug, name=delivered["name"], is_default=slug == "default")
        Notice.objects.bulk_create(
            Notice(persona=persona, mode=mode, level=int(level), occasion=occasion, text=text)
            for mode, occasions in delivered["notices"].items()
            for occasion, levels in occasions.items()
            for level, text in levels.items()
        )


class Migration(migrations.Migration):
    dependencies = [("energy", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
