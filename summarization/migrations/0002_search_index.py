"""The full-text index of the history's search, on PostgreSQL alone: SQLite has no such index on an expression."""

from django.db import migrations

CREATE = (
    "CREATE INDEX history_search ON summarization_callhistory USING gin (to_tsvector('simple'::regconfig, search_text))"
)
DROP = "DROP INDEX history_search"


def _on_postgresql(sql):
    def execute(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return execute


class Migration(migrations.Migration):
    dependencies = [("summarization", "0001_initial")]

    operations = [migrations.RunPython(_on_postgresql(CREATE), _on_postgresql(DROP))]
