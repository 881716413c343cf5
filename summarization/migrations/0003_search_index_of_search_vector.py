"""The full-text index of the history's search again, of the expression that Django's `SearchVector` writes."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import migrations

INDEX = GinIndex(SearchVector("search_text", config="simple"), name="history_words")
DROP_FORMER = "DROP INDEX history_search"
CREATE_FORMER = (
    "CREATE INDEX history_search ON summarization_callhistory USING gin (to_tsvector('simple'::regconfig, search_text))"
)


def replace(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.add_index(apps.get_model("summarization", "CallHistory"), INDEX)
        schema_editor.execute(DROP_FORMER)


def restore(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE_FORMER)
        schema_editor.remove_index(apps.get_model("summarization", "CallHistory"), INDEX)


class Migration(migrations.Migration):
    dependencies = [("summarization", "0002_search_index")]

    operations = [migrations.RunPython(replace, restore)]
