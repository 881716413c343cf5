"""The page for operators speaks of files, settings and tables that there are, and of every table with people in it."""

from __future__ import annotations

import re
from pathlib import Path

from django.apps import apps
from pytest_django import Settings

from tests.deployment.files import procfile, without_places

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PRIVACY = PAGE.partition("## Privacy")[2].partition("## What Holdline bounds")[0]

NOTHING_OF_PEOPLE = {
    *("auth_group", "auth_permission", "django_content_type"),
    *("energy_modelquota", "energy_persona", "energy_notice", "sessions_app_worker"),
}
"""Tables that say nothing of anybody: rights, what is known of models, what is said about levels, processes."""


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_link_leads_somewhere() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 10
    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []
    files = [link.partition("#")[0] for link in links if not link.startswith(("#", "https:"))]
    assert [file for file in files if not (ROOT / "docs" / file).exists()] == []


def test_the_readme_links_to_what_is_there() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    linked = re.findall(r"docs/operations\.md#([\w-]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert linked
    assert set(linked) <= anchors


def test_every_setting_it_names_can_be_set() -> None:
    settings = (ROOT / ".env.example").read_text(encoding="utf-8")
    first_columns = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    names = {name for column in first_columns for name in re.findall(r"`([A-Z_]+)`", column)}
    assert len(names) > 10
    assert [name for name in sorted(names) if not re.search(rf"^#{name}=", settings, re.MULTILINE)] == []


def test_every_table_with_something_of_people_is_named() -> None:
    tables = {model._meta.db_table for model in apps.get_models()} - NOTHING_OF_PEOPLE
    named = re.findall(r"`(\w+_\w+|…_\w+)`", PRIVACY)
    full = {name.replace("…", "sessions_app") for name in named}
    assert {table for table in tables if table not in full} == set()


def test_commands_typed_by_hand_are_those_of_the_procfile() -> None:
    typed = re.findall(r"^((?:uvicorn|celery) .*?)(?: &)?$", PAGE, re.MULTILINE)
    kinds = [without_places(procfile()[kind]) for kind in ("web", "web", "worker", "beat")]
    assert [without_places(line.split()) for line in typed] == kinds


def test_every_queue_it_names_is_one_that_workers_know(settings: Settings) -> None:
    """They refuse any other."""
    named = {name for names in re.findall(r"--queues ([\w,-]+)", PAGE) for name in names.split(",")}
    assert named == set(settings.CELERY_TASK_QUEUES)
