# ruff: noqa: S608 - the names of our own tables
"""The folded words of the history, with the index of each kind of database that finds them by their pieces."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "summarization_searchentry"

POSTGRESQL = [
    # The version before deletes a history without looking here. Its words go with it all the same.
    f"""ALTER TABLE {TABLE} ADD CONSTRAINT search_entry_of_history FOREIGN KEY (history_id)
        REFERENCES summarization_callhistory (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED""",
    # Looked through for every word: to unpack it would take longer than that.
    f"ALTER TABLE {TABLE} ALTER COLUMN summary SET STORAGE EXTERNAL, ALTER COLUMN said SET STORAGE EXTERNAL",
    # At once and not later: what a search finds waiting in the list of an index, it has to read through.
    f"""CREATE INDEX search_entry_pieces ON {TABLE}
        USING gin ((string_to_array(pieces, ' ') COLLATE "C")) WITH (fastupdate = off)""",
]

SQLITE = [
    # It is no table of a model: a restore drops those, and finds this one still there.
    "DROP TABLE IF EXISTS summarization_searchpieces",
    # Of ASCII alone it knows letters and signs; whatever else is a letter, which is what pieces need.
    f"""CREATE VIRTUAL TABLE summarization_searchpieces USING fts5 (
        pieces, content='{TABLE}', content_rowid='history_id', tokenize='ascii', detail=none, columnsize=0)""",
    f"""CREATE TRIGGER search_entry_inserted AFTER INSERT ON {TABLE} BEGIN
        INSERT INTO summarization_searchpieces (rowid, pieces) VALUES (new.history_id, new.pieces);
    END""",
    f"""CREATE TRIGGER search_entry_deleted AFTER DELETE ON {TABLE} BEGIN
        INSERT INTO summarization_searchpieces (summarization_searchpieces, rowid, pieces)
            VALUES ('delete', old.history_id, old.pieces);
    END""",
    f"""CREATE TRIGGER search_entry_updated AFTER UPDATE ON {TABLE} BEGIN
        INSERT INTO summarization_searchpieces (summarization_searchpieces, rowid, pieces)
            VALUES ('delete', old.history_id, old.pieces);
        INSERT INTO summarization_searchpieces (rowid, pieces) VALUES (new.history_id, new.pieces);
    END""",
]


def make_indexes(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for name in ("inserted", "deleted", "updated"):
            schema_editor.execute(f"DROP TRIGGER search_entry_{name}")
        schema_editor.execute("DROP TABLE summarization_searchpieces")


class Migration(migrations.Migration):
    dependencies = [("summarization", "0004_claims")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "history",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_entry",
                        serialize=False,
                        to="summarization.callhistory",
                    ),
                ),
                ("title", models.TextField(help_text="Folded, as the others.")),
                ("summary", models.TextField(help_text="With the facts.")),
                ("said", models.TextField(help_text="A line for each turn.")),
                (
                    "pieces",
                    models.TextField(help_text="Of the words, with whose they are: what an index finds it by."),
                ),
                ("of_title", models.CharField(help_text="The title of the entry when it was folded.", max_length=200)),
                ("of_turn", models.IntegerField(help_text="Its last turn then.")),
                ("of_summary_at", models.DateTimeField(help_text="When its summary had been written.", null=True)),
            ],
            options={"verbose_name_plural": "search entries"},
        ),
        migrations.RunPython(make_indexes, drop_indexes),
    ]
