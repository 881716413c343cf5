"""A backup has all that is kept, of one moment, and is restored whole or not at all."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from config.backup import archive, schema
from config.backup.archive import Header, Reader, Refused, Table, Writer
from config.backup.dump import dump
from config.backup.load import load
from config.keys import derive_fernet_keys
from config.management.commands import backup
from energy.levels import Mode
from sessions_app import kept_sound
from sessions_app.live.parcel import Parcel
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn, Worker
from sessions_app.secrets import decrypt, encrypt
from tests.summarization.talk import Talk, turns

FIXTURES = Path(__file__).parent / "fixtures"
BEFORE_LINES = FIXTURES / "sqlite-before-lines.backup"
"""Of SQLite, before migration 0009 of `sessions_app`."""

OF_POSTGRESQL = FIXTURES / "postgresql.backup"
"""Of PostgreSQL, with all migrations of format 1. Both are as they were written then, and are never written anew."""

stored = pytest.mark.django_db(transaction=True)


def ignore(name: str, count: int) -> None:
    pass


def saved() -> bytes:
    stream = io.BytesIO()
    dump(stream, ignore)
    return stream.getvalue()


def restore(backup: bytes, replace: bool = True) -> None:
    load(io.BytesIO(backup), ignore, replace)


def all_rows() -> dict[str, list[Any]]:
    """Everything in every table."""
    return {
        model._meta.label: sorted(map(_in_words, model._base_manager.values_list()))
        for model in schema.tables_after(schema.applied())
    }


def _in_words(row: tuple[Any, ...]) -> str:
    return repr([bytes(value) if isinstance(value, memoryview) else value for value in row])


@pytest.fixture
def talk(transactional_db: None, django_user_model: type[User]) -> Talk:
    """A call in the middle of which somebody makes a backup."""
    talk = Talk(django_user_model.objects.create_user("alice", password="correct-horse-battery-1"))
    talk.say(turns(3, {0: 'My code word is PLUM-42. ä€😀 \\N \t "x"\n'}))
    user = talk.request.user
    SessionEvent.objects.create(conversation=talk.row, kind="usage", data={"deep": [1, 2.5, None, "ä\n", {}]})
    ResumptionHandle.objects.create(
        user=user,
        live_session=LiveSession.objects.get(pk=talk.opening.session),
        slot="gdm:call-session-handle",
        page_id=talk.request.page_id,
        model="gemini-3.8-live",
        ciphertext=encrypt("the-handle"),
        acknowledged_number=2**40,
        covered_turn=-1,
        expires_at=timezone.now() + datetime.timedelta(hours=2),
    )
    kept_sound.keep(user.pk, Mode.CALL, uuid.uuid4(), Parcel(2, ((0, b"ab"), (1, b"\x00\xff"))))
    return talk


# --- There and back -----------------------------------------------------------------------------------------------


def test_what_is_restored_is_what_was_saved_to_the_last_row(talk: Talk) -> None:
    backup, before = saved(), all_rows()
    talk.say(turns(2, first=3))
    User.objects.create_user("bob")
    restore(backup)
    assert all_rows() == before
    handle = ResumptionHandle.objects.get()
    assert decrypt(handle.ciphertext) == "the-handle"
    assert b"the-handle" not in gzip.decompress(backup)


def test_rows_that_come_after_a_restore_get_numbers_that_are_free(talk: Talk) -> None:
    backup = saved()
    restore(backup)
    alice = User.objects.get()
    assert User.objects.create_user("bob").pk > alice.pk
    talk.say(turns(1, first=3))
    assert Turn.objects.count() == 4


def test_a_backup_has_nothing_of_what_happens_while_it_is_made(talk: Talk) -> None:
    """And whoever makes it happen does not wait."""
    first_table = iter([True])

    def write() -> None:
        try:
            User.objects.create_user("bob")
            talk.say(turns(1, first=3))
        finally:
            connection.close()

    def told(name: str, count: int) -> None:
        if next(first_table, False):
            writer = threading.Thread(target=write)
            writer.start()
            writer.join()

    stream = io.BytesIO()
    dump(stream, told)
    assert User.objects.filter(username="bob").exists()
    restore(stream.getvalue())
    assert [user.username for user in User.objects.all()] == ["alice"]
    assert Turn.objects.count() == 3


@stored
@pytest.mark.parametrize("file", [BEFORE_LINES, OF_POSTGRESQL], ids=lambda file: file.stem)
def test_a_backup_of_another_database_and_an_older_version_is_restored_and_brought_up_to_date(file: Path) -> None:
    restored = load(io.BytesIO(file.read_bytes()), ignore, replace=True)
    assert len(schema.applied()) == len(restored.header.migrations) + restored.migrated
    assert (restored.unreadable, restored.handles) == (0, 1)
    assert [turn.text for turn in Turn.objects.order_by("number")] == [
        "My code word is PLUM-42 ä€😀",
        'Noted:\n\tPLUM-42 "\\',
    ]
    conversation = Conversation.objects.get()
    assert conversation.started_at.isoformat() == "2026-11-01T12:00:00.123456+00:00"
    assert SessionEvent.objects.get().data == {"a": [1, None, "ä"]}
    assert decrypt(ResumptionHandle.objects.get().ciphertext) == "handle-1"
    assert set(schema.applied()) >= {("sessions_app", "0009_one_owner")}


# --- Refusals -----------------------------------------------------------------------------------------------------


def test_a_backup_that_is_cut_off_or_damaged_changes_nothing(talk: Talk) -> None:
    backup = saved()
    plain = gzip.decompress(backup)
    rows_missing = b"".join(line for line in plain.splitlines(keepends=True) if b"PLUM-42" not in line)
    strange = plain.replace(b'"sessions_app.Turn"', b'"sessions_app.Tune"')
    before = all_rows()
    for damaged in (backup[:-9], gzip.compress(rows_missing), gzip.compress(strange)):
        with pytest.raises(Refused, match=r"not whole|damaged"):
            restore(damaged)
        assert all_rows() == before


def test_rows_that_belong_to_nothing_are_refused(talk: Talk) -> None:
    backup, before = gzip.decompress(saved()), all_rows()
    without_user = re.sub(rb'\n\[\d+,"argon2[^\n]*|\n\[\d+,"md5[^\n]*', b"", backup)
    rows = json.loads(backup.splitlines()[-1])["end"]
    with pytest.raises(Refused, match="The database does not take it"):
        restore(gzip.compress(without_user.replace(b'{"end":%d}' % rows, b'{"end":%d}' % (rows - 1))))
    assert all_rows() == before


def test_values_that_no_column_holds_are_refused(talk: Talk) -> None:
    backup, before = gzip.decompress(saved()), all_rows()
    for place, strange in (
        (b"1099511627776", b"Infinity"),
        (b"1099511627776", b"1" + b"0" * 20),
        (b"PLUM-42", rb"\ud800"),
    ):
        assert place in backup
        with pytest.raises(Refused, match=r"It is damaged|The database does not take it"):
            restore(gzip.compress(backup.replace(place, strange, 1)))
        assert all_rows() == before


def test_while_a_web_process_lives_nothing_is_restored(talk: Talk) -> None:
    backup = saved()
    Worker.objects.create(name="talk.example.org:17")
    with pytest.raises(Refused, match=re.escape("Web processes are alive (talk.example.org:17)")):
        restore(backup)


def test_accounts_are_replaced_only_where_that_is_asked_for(talk: Talk) -> None:
    with pytest.raises(Refused, match=r"it has 1 accounts.*--replace"):
        restore(saved(), replace=False)


def test_a_backup_of_a_newer_version_is_refused_and_so_is_a_database(talk: Talk) -> None:
    backup = saved()
    newer = gzip.compress(gzip.decompress(backup).replace(b'"0009_one_owner"', b'"0999_later"'))
    with pytest.raises(Refused, match=re.escape("it does not know sessions_app.0999_later")):
        restore(newer)
    recorder = schema.MigrationRecorder(connection)
    recorder.record_applied("sessions_app", "0999_later")
    try:
        for attempt in (saved, lambda: restore(backup)):
            with pytest.raises(Refused, match=re.escape("it does not know sessions_app.0999_later")):
                attempt()
    finally:
        recorder.record_unapplied("sessions_app", "0999_later")


# --- The commands -------------------------------------------------------------------------------------------------


def test_the_file_is_its_owners_alone_and_overwrites_nothing(talk: Talk, tmp_path: Path) -> None:
    file, told = tmp_path / "holdline.backup", io.StringIO()
    call_command("backup", str(file), stdout=told)
    assert file.stat().st_mode & 0o777 == 0o600
    assert re.search(rf"Saved: \d+ rows, {file.stat().st_size:,} bytes, \d+\.\d s\.", told.getvalue())
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", str(file))
    with pytest.raises(CommandError, match=r"cannot be written: No such file"):
        call_command("backup", str(tmp_path / "nowhere" / "holdline.backup"))
    call_command("restore", str(file), replace=True, stdout=told)
    assert "Restored: " in told.getvalue()
    assert "          3  sessions_app.Turn\n" in told.getvalue()


def test_a_backup_has_its_name_only_once_it_is_whole(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed in the middle leaves nothing that could be taken for a backup, or that is in the way."""
    file = tmp_path / "holdline.backup"
    seen: list[str] = []

    def look(stream: BinaryIO, told: Any) -> int:
        rows = dump(stream, told)
        seen.extend(path.suffix for path in tmp_path.iterdir())
        return rows

    monkeypatch.setattr(backup, "dump", look)
    call_command("backup", str(file))
    assert seen == [".part"]
    assert list(tmp_path.iterdir()) == [file]


def test_a_backup_that_cannot_be_finished_leaves_no_file(talk: Talk, tmp_path: Path) -> None:
    recorder = schema.MigrationRecorder(connection)
    recorder.record_applied("sessions_app", "0999_later")
    try:
        with pytest.raises(CommandError, match="0999_later"):
            call_command("backup", str(tmp_path / "holdline.backup"))
    finally:
        recorder.record_unapplied("sessions_app", "0999_later")
    assert list(tmp_path.iterdir()) == []


def test_the_other_keys_are_named_by_their_fingerprints_and_never_told(
    talk: Talk, tmp_path: Path, settings: Settings
) -> None:
    file, told, warned = tmp_path / "holdline.backup", io.StringIO(), io.StringIO()
    former = settings.HANDLE_FERNET_KEYS
    call_command("backup", str(file), stdout=told)
    fingerprint = re.search(r"fingerprint (\w{12})", told.getvalue())
    assert fingerprint is not None
    settings.SECRET_KEY = "another-key-that-is-long-enough-as-well"
    settings.HANDLE_FERNET_KEYS = derive_fernet_keys([settings.SECRET_KEY])
    call_command("restore", str(file), replace=True, stdout=io.StringIO(), stderr=warned)
    assert "2 of 2 handles and sounds cannot be read" in warned.getvalue()
    assert f"Those of the backup are {fingerprint[1]}" in warned.getvalue()
    assert "everybody has to log in again" in warned.getvalue()
    for key in (*former, *settings.HANDLE_FERNET_KEYS, settings.SECRET_KEY):
        assert key not in told.getvalue() + warned.getvalue() + gzip.decompress(file.read_bytes()).decode()


@pytest.mark.parametrize("content", [b"", b"\n", b"PK\x03\x04 something else", gzip.compress(b'{"a":1}\n', mtime=0)])
@stored
def test_what_is_no_backup_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "something"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=r"the database is as it was\. It is no backup of Holdline"):
        call_command("restore", str(file))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("restore", str(tmp_path / "nothing"))


# --- The file by itself -------------------------------------------------------------------------------------------

HEADER = Header("2026-11-27T00:00:00+00:00", "sqlite", (("auth", "0001_initial"),), ("ab",), "cd")
Tables = list[list[list[Any]]]

VALUES = st.none() | st.integers() | st.text(max_size=9) | st.just([1, {"a": None}])
ROWS = st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=5))
TABLES = st.lists(ROWS, max_size=4)


def written(tables: Tables) -> bytes:
    stream = io.BytesIO()
    with Writer(stream, HEADER) as writer:
        for number, rows in enumerate(tables):
            writer.table(Table(f"app.T{number}", tuple("abc"[: len(rows[0]) if rows else 1])))
            for row in rows:
                writer.row(row)
        writer.end()
    return stream.getvalue()


def read(file: bytes) -> list[list[Any]]:
    return [list(rows) for _, rows in Reader(io.BytesIO(file)).tables()]


@given(TABLES)
def test_what_is_read_is_what_was_written(tables: Tables) -> None:
    assert Reader(io.BytesIO(written(tables))).header == HEADER
    assert read(written(tables)) == tables


@given(TABLES, st.data())
def test_a_file_that_ends_anywhere_before_its_end_is_refused(tables: Tables, data: st.DataObject) -> None:
    file = written(tables)
    with pytest.raises(Refused):
        read(file[: data.draw(st.integers(0, len(file) - 1))])


@given(TABLES, st.data())
def test_a_file_without_some_of_its_lines_is_refused(tables: Tables, data: st.DataObject) -> None:
    lines = gzip.decompress(written(tables)).splitlines(keepends=True)
    kept = data.draw(st.integers(0, len(lines) - 1))
    with pytest.raises(Refused):
        read(gzip.compress(b"".join(itertools.islice(lines, kept))))


@given(TABLES, st.data())
def test_a_byte_that_turned_is_noticed_or_does_not_matter(tables: Tables, data: st.DataObject) -> None:
    """Some bytes of the frame of gzip say nothing of what is in it, the time of writing for instance."""
    file = bytearray(written(tables))
    place = data.draw(st.integers(0, len(file) - 1))
    file[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(Refused):
        assert read(bytes(file)) == tables


def test_a_line_that_would_fill_the_memory_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LINE_LIMIT_BYTES", 1_000)
    first, last = gzip.decompress(written([])).splitlines()
    with pytest.raises(Refused, match="damaged"):
        read(gzip.compress(b"\n".join([first, b" " * 1_001, last])))


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"table":"\\u001b[2J","columns":["a"]}', b'{"table":1,"columns":[1]}']
)
def test_a_line_that_nobody_writes_is_refused_as_damage(line: bytes) -> None:
    first, last = gzip.decompress(written([])).splitlines()
    with pytest.raises(Refused, match="It is damaged"):
        read(gzip.compress(b"\n".join([first, line, last])))


@pytest.mark.parametrize(
    "change",
    [
        lambda first: first.pop("migrations"),
        lambda first: first.update(version=2),
        lambda first: first.update(migrations=[[["auth"], "0001_initial"]]),
        lambda first: first.update(handle_keys=[1]),
        lambda first: first.update(database="\x1b[2J"),
    ],
)
def test_a_header_that_is_not_understood_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    first, *rest = gzip.decompress(written([])).splitlines()
    header = json.loads(first)
    change(header)
    with pytest.raises(Refused, match=r"newer version|header cannot be read"):
        read(gzip.compress(b"\n".join([json.dumps(header).encode(), *rest])))
