"""Files through the SDK: uploaded, processed, listed, used up by time, lost and refused."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.cli import build_parser
from emulator.clock import Clock
from emulator.files import (
    FILES_KEPT,
    KEPT_S,
    UPLOADS_AT_ONCE,
    FileNameError,
    FileStore,
    FileTooLargeError,
    Processing,
    StorageFullError,
)
from emulator.memory import Memory
from emulator.sessions import HandleRefusedError
from emulator.state import Emulator as State
from emulator.state import Options
from emulator.texts import RefusedError
from emulator.uploads import Upload, UploadError, UploadOverError
from tests.emulator.client import LIVE_3_8, sdk
from tests.emulator.test_control import request
from tests.services.emulator import Emulator

GONE = "You do not have permission to access the File {} or it may not exist."
PIECE_BYTES = 8 * 1024 * 1024


@pytest.fixture
def client(emulator: Emulator) -> genai.Client:
    return sdk(emulator)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[FileStore]:
    store = FileStore(clock, most_file_bytes=100, most_project_bytes=150)
    yield store
    store.close()


def uploaded(client: genai.Client, data: bytes = b"Hello", **more: Any) -> types.File:
    config = types.UploadFileConfig(**({"mime_type": "text/plain"} | more))
    return client.files.upload(file=io.BytesIO(data), config=config)


def name_of(file: types.File) -> str:
    assert file.name
    return file.name


def kept(store: FileStore, data: bytes, project: str = "ours", **described: str) -> Upload:
    upload = store.begin(project, described, "text/plain", len(data))
    with upload.piece(0) as file:
        upload.write(file, data)
    return upload


def test_a_file_is_shown_with_its_digest_and_its_end(client: genai.Client) -> None:
    data = b"n" * (PIECE_BYTES + 1)
    file = uploaded(client, data, display_name="Notes")
    digest = base64.b64decode(file.sha256_hash or "").decode()
    assert digest == hashlib.sha256(data).hexdigest()
    assert (file.size_bytes, file.display_name, file.mime_type) == (len(data), "Notes", "text/plain")
    assert (file.state, file.source) == (types.FileState.ACTIVE, types.FileSource.UPLOADED)
    assert file.create_time
    assert file.expiration_time
    assert (file.expiration_time - file.create_time).total_seconds() == KEPT_S
    assert client.files.get(name=name_of(file)) == file


def test_a_file_may_bring_its_name_which_no_other_has(client: genai.Client) -> None:
    assert uploaded(client, name="files/board-meeting").name == "files/board-meeting"
    with pytest.raises(errors.ClientError) as taken:
        uploaded(client, name="board-meeting")
    assert (taken.value.code, taken.value.status) == (409, "ALREADY_EXISTS")


@pytest.mark.parametrize(
    "described", [{"name": "Board"}, {"name": "-a"}, {"name": "a" * 41}, {"displayName": "n" * 513}]
)
def test_names_that_no_file_has_are_refused(store: FileStore, described: dict[str, str]) -> None:
    with pytest.raises(FileNameError):
        store.begin("ours", described, "text/plain", 1)


def test_files_are_listed_in_pages_newest_first(client: genai.Client) -> None:
    assert list(client.files.list()) == []
    names = [name_of(uploaded(client)) for _ in range(12)]
    pages = client.files.list()
    assert (pages.page_size, len(pages.page)) == (10, 10)
    assert [file.name for file in pages] == names[::-1]
    assert [file.name for file in client.files.list(config={"page_size": 5})] == names[::-1]


def test_a_file_of_another_project_is_as_if_it_were_not_there(emulator: Emulator, client: genai.Client) -> None:
    name = name_of(uploaded(client))
    stranger = sdk(emulator, "somebody-else")
    assert list(stranger.files.list()) == []
    for forbidden in (stranger.files.get, stranger.files.delete):
        with pytest.raises(errors.ClientError) as refused:
            forbidden(name=name)
        assert (refused.value.code, refused.value.status) == (403, "PERMISSION_DENIED")
        assert refused.value.message == GONE.format(name.removeprefix("files/"))
    assert client.files.get(name=name)


def test_a_file_is_gone_after_two_days(emulator: Emulator, client: genai.Client) -> None:
    name = name_of(uploaded(client))
    emulator.forward(KEPT_S - 60)
    assert client.files.get(name=name)
    emulator.forward(60)
    with pytest.raises(errors.ClientError, match="it may not exist"):
        client.files.get(name=name)
    assert list(client.files.list()) == []
    assert emulator.files()["stored_bytes"] == 0


def test_what_else_expires_follows_the_clock(emulator: Emulator, client: genai.Client) -> None:
    config = types.CreateCachedContentConfig(system_instruction="The tide comes in twice a day. " * 200, ttl="600s")
    cache = client.caches.create(model="gemini-3.8-flash", config=config)
    assert cache.name
    emulator.forward(600)
    with pytest.raises(errors.ClientError, match="not found"):
        client.caches.get(name=cache.name)


def test_the_clock_is_moved_on_and_not_back(emulator: Emulator) -> None:
    assert request(emulator, "GET", "/api/clock")[0] == 200
    for seconds in (-1, 1e12, "ten", True, None):
        assert request(emulator, "POST", "/api/clock", json.dumps({"forward_s": seconds}).encode())[0] == 400


def test_a_file_that_is_processed_becomes_active(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("slow_processing", delay_s=20, count=1)
    file = uploaded(client)
    assert file.state == types.FileState.PROCESSING
    emulator.forward(20)
    after = client.files.get(name=name_of(file))
    assert after.state == types.FileState.ACTIVE
    assert after.update_time
    assert after.create_time
    assert (after.update_time - after.create_time).total_seconds() == 20


def test_a_file_may_fail_and_says_why(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("slow_processing", delay_s=20)
    emulator.fault("fail_processing", text="The codec is unknown.")
    file = uploaded(client)
    assert (file.state, file.error) == (types.FileState.PROCESSING, None)
    emulator.forward(20)
    failed = client.files.get(name=name_of(file))
    assert failed.state == types.FileState.FAILED
    assert failed.error
    assert failed.error.message == "The codec is unknown."


def test_a_file_may_be_lost_before_its_time(emulator: Emulator, client: genai.Client) -> None:
    lost, other = name_of(uploaded(client)), name_of(uploaded(client))
    emulator.fault("lose_file")
    with pytest.raises(errors.ClientError, match="it may not exist"):
        client.files.get(name=lost)
    assert [file.name for file in client.files.list()] == [other]


def test_a_deletion_may_be_refused(emulator: Emulator, client: genai.Client) -> None:
    name = name_of(uploaded(client))
    emulator.fault("refuse_deletion", status=500, count=1)
    with pytest.raises(errors.ServerError):
        client.files.delete(name=name)
    client.files.delete(name=name)
    assert emulator.files()["files"] == []


@pytest.mark.parametrize(("status", "said"), [(429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE")])
def test_an_upload_may_be_refused(emulator: Emulator, client: genai.Client, status: int, said: str) -> None:
    emulator.fault("refuse_upload", status=status, count=1)
    with pytest.raises(errors.APIError) as refused:
        uploaded(client)
    assert (refused.value.code, refused.value.status) == (status, said)
    assert uploaded(client)


def test_the_sdk_sends_a_piece_again_that_was_refused(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("refuse_upload", step="piece", count=1)
    assert uploaded(client).size_bytes == 5


def test_a_full_storage_says_so_in_the_words_of_the_api(emulator: Emulator, client: genai.Client) -> None:
    uploaded(client)
    emulator.fault("storage_full", limit_bytes=9, count=1)
    with pytest.raises(errors.ClientError) as full:
        uploaded(client)
    assert (full.value.code, full.value.status) == (429, "RESOURCE_EXHAUSTED")
    details: Any = full.value.details
    violation = details["error"]["details"][0]["violations"][0]
    assert violation == {
        "quotaMetric": "generativelanguage.googleapis.com/file_storage_bytes",
        "quotaId": "FileStorageBytesPerProject",
        "quotaValue": "9",
    }
    assert uploaded(client)


def test_an_empty_file_is_refused(emulator: Emulator, client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="empty"):
        uploaded(client, b"")
    assert emulator.files() == {"files": [], "stored_bytes": 0, "unfinished_uploads": 0}


def test_a_file_and_all_files_of_a_project_have_a_largest_size(store: FileStore) -> None:
    with pytest.raises(FileTooLargeError):
        kept(store, b"n" * 101)
    file = store.complete(kept(store, b"n" * 100), Processing())
    with pytest.raises(StorageFullError):
        kept(store, b"n" * 51)
    kept(store, b"n" * 51, "others")
    kept(store, b"n" * 50)
    store.delete(file)
    kept(store, b"n" * 100)
    assert store.stored_bytes("ours") == 150


def test_uploads_and_files_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(clock)
    first = store.begin("ours", {}, "text/plain", 1)
    for _ in range(UPLOADS_AT_ONCE):
        store.begin("ours", {}, "text/plain", 1)
    assert store.unfinished == UPLOADS_AT_ONCE
    with pytest.raises(KeyError):
        store.upload(first.id)
    assert FILES_KEPT > 1
    monkeypatch.setattr("emulator.files.FILES_KEPT", 1)
    store.complete(kept(store, b"n"), Processing())
    with pytest.raises(StorageFullError):
        store.begin("ours", {}, "text/plain", 1)
    store.close()


def test_files_end_with_the_emulator_unless_they_are_to_be_kept(clock: Clock, tmp_path: Path) -> None:
    passing = FileStore(clock)
    path = passing.path(passing.complete(kept(passing, b"passing"), Processing()))
    assert path.read_bytes() == b"passing"
    passing.close()
    assert not path.parent.exists()

    before = FileStore(clock, tmp_path)
    file = before.complete(kept(before, b"kept", displayName="Minutes"), Processing())
    kept(before, b"half")
    before.close()
    (tmp_path / "no-file.json").write_text("[]", encoding="utf-8")
    after = FileStore(clock, tmp_path)
    assert after.all() == [file]
    assert after.path(file).read_bytes() == b"kept"
    assert not list(tmp_path.glob("*.part"))
    after.delete(file)
    assert FileStore(clock, tmp_path).all() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(-3, 3)), max_size=8))
def test_a_file_is_what_its_pieces_were_and_no_piece_counts_at_a_wrong_offset(pieces: list[tuple[bytes, int]]) -> None:
    store = FileStore(Clock())
    upload = store.begin("ours", {}, "text/plain", None)
    sent = b""
    for data, shift in [(b"1", 0), *pieces]:
        if shift:
            with pytest.raises(UploadError), upload.piece(upload.received_bytes + shift):
                pass
            continue
        with upload.piece(upload.received_bytes) as part:
            upload.write(part, data)
        sent += data
    file = store.complete(upload, Processing())
    assert store.path(file).read_bytes() == sent
    assert file.sha256_hex == hashlib.sha256(sent).hexdigest()
    assert store.stored_bytes() == file.size_bytes == len(sent)
    store.close()


def test_an_upload_that_was_called_off_meanwhile_is_no_file(store: FileStore) -> None:
    upload = kept(store, b"n")
    store.drop(upload)
    with pytest.raises(UploadOverError):
        store.complete(upload, Processing())
    assert store.all() == []


def test_the_limits_are_options(tmp_path: Path) -> None:
    arguments = ["--max-file-bytes", "10", "--storage-bytes", "15", "--processing-s", "2", "--files-dir", str(tmp_path)]
    chosen = vars(build_parser().parse_args(arguments))
    state = State(Options(**{name: value for name, value in chosen.items() if name != "action"}))
    with pytest.raises(FileTooLargeError):
        state.files.begin("ours", {}, "text/plain", 11)
    assert state.files.most_project_bytes == 15
    assert state.options.processing_s == 2
    for wrong in (["--max-file-bytes", "0"], ["--processing-s", "-1"]):
        with pytest.raises(SystemExit):
            build_parser().parse_args(wrong)


def test_handles_and_tokens_follow_the_clock() -> None:
    state = State(Options(voice=False, recogniser=False))
    token = state.tokens.create({})
    handle = state.sessions.issue(state.sessions.create(LIVE_3_8, Memory())).handle
    state.clock.forward(3 * 3600)
    with pytest.raises(RefusedError):
        state.tokens.find(token.name)
    with pytest.raises(HandleRefusedError):
        state.sessions.resume(handle, LIVE_3_8)


def test_a_reset_leaves_no_file(emulator: Emulator, client: genai.Client) -> None:
    uploaded(client)
    emulator.reset()
    assert emulator.files()["files"] == []
