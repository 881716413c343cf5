"""What is made out of recordings: asked for when one comes, in pieces, tried again, merged with right times."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.models import GeminiFile, Recording, RecordingUsage, RecordingWork
from sessions_app.recordings import cuts, cutter, cutting
from sessions_app.recordings.cutting import NotCut, Piece
from sessions_app.usage import fair_use_refusal
from summarization import claims, cleanup, queue, recording_prompts, recordings
from summarization.attempts import CLAIM_VALID, CLAIMS_LOST_BEFORE_FAILED
from summarization.recording_prompts import NOBODY_SPEAKS, read_piece, time_of
from summarization.summarizer import Refused, Unavailable
from summarization.summarizing import SummarizationService
from tests.fakes.summarizer import FakeSummarizer
from tests.recordings.at_google import recording_of
from tests.recordings.sounds import wav

State = RecordingWork.State


@pytest.fixture(autouse=True)
def _places(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def piece_of(*said: tuple[str, str, str], language: str = "en") -> str:
    segments = [{"start": start, "end": end, "speaker": "Ann", "text": text} for start, end, text in said]
    return json.dumps({"language": language, "segments": segments})


WHOLE = json.dumps({"title": "A train", "summary": "It leaves at nine."})


def in_pieces(monkeypatch: pytest.MonkeyPatch, count: int = 2) -> None:
    """A second each, whatever the recording is."""

    class Pieces:
        def __init__(self, recording: Recording, heard_ms: int) -> None:
            self._path, self._heard = Path(recording.file.path), heard_ms // 1000

        def __enter__(self) -> list[Piece]:
            return [Piece(n * 1000, n * 1000 + 1000, self._path, "audio/wav") for n in range(self._heard, count)]

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(recordings, "pieces_of", Pieces)


# -- the work ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_asked_for_when_a_recording_comes(alice: User, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as told:
        recording = recording_of(alice, wav())
        recording.save()
    assert [callback.args[:2] for callback in told] == [(queue.WRITE_RECORDING_WORK, str(recording.pk))]
    assert recording.work.state == State.WAITING


@pytest.mark.django_db
def test_pieces_are_merged_with_the_times_of_the_whole(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pieces(monkeypatch)
    recording = recording_of(alice, wav(2.0))
    summarizer.say(piece_of(("00:00", "00:01", "One.")), piece_of(("00:00", "00:01", "Two.")), WHOLE)
    recordings.write_recording_work(recording.pk, service)
    work = RecordingWork.objects.get()
    assert [(said["start_ms"], said["end_ms"], said["text"]) for said in work.segments] == [
        (0, 1000, "One."),
        (1000, 2000, "Two."),
    ]
    assert (work.state, work.title, work.summary, work.language) == (State.DONE, "A train", "It leaves at nine.", "en")
    assert (work.done_ms, work.claim, work.due_at, work.model) == (2000, None, None, "first-model")
    assert "Ann: One." in summarizer.asked[1][1].text, "the second piece goes on from the first"


@pytest.mark.django_db
def test_what_the_work_takes_is_counted_and_is_of_the_share_of_its_user(
    alice: User,
    bob: User,
    service: SummarizationService,
    summarizer: FakeSummarizer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_pieces(monkeypatch)
    recording = recording_of(alice, wav(2.0))
    summarizer.say(piece_of(("00:00", "00:01", "One.")), "no JSON", piece_of(("00:00", "00:01", "Two.")), WHOLE)
    recordings.write_recording_work(recording.pk, service)
    usages = RecordingUsage.objects.filter(user=alice, recording=recording)
    assert [(row.input_tokens, row.output_tokens) for row in usages] == [(100, 10)] * 4
    settings.FAIR_USE_TOKENS_PER_DAY = 400
    assert fair_use_refusal(alice.pk, Mode.TEXT, timezone.now()) is not None
    assert fair_use_refusal(bob.pk, Mode.TEXT, timezone.now()) is None
    recording.delete()
    assert RecordingUsage.objects.filter(user=alice, recording=None).count() == 4


@pytest.mark.django_db
def test_a_try_that_failed_goes_on_behind_the_piece_that_was_heard(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pieces(monkeypatch)
    recording = recording_of(alice, wav(2.0))
    away = Unavailable("away")
    summarizer.say(piece_of(("00:00", "00:01", "One.")), away, away)
    recordings.write_recording_work(recording.pk, service)
    work = RecordingWork.objects.get()
    assert (work.state, work.error, work.done_ms, work.claim) == (State.WAITING, "away", 1000, None)
    assert work.due_at
    assert work.due_at > timezone.now()
    RecordingWork.objects.update(due_at=timezone.now())
    summarizer.say(piece_of(("00:00", "00:01", "Two.")), WHOLE)
    recordings.write_recording_work(recording.pk, service)
    work.refresh_from_db()
    assert [said["text"] for said in work.segments] == ["One.", "Two."]
    assert (work.state, work.error) == (State.DONE, "")


@pytest.mark.django_db
def test_a_run_whose_time_is_over_hands_the_rest_on(
    alice: User,
    service: SummarizationService,
    summarizer: FakeSummarizer,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    in_pieces(monkeypatch)
    monkeypatch.setattr(recordings, "BEGIN_WITHIN_S", -1)
    recording = recording_of(alice, wav(2.0))
    summarizer.say(piece_of(("00:00", "00:01", "One.")))
    with django_capture_on_commit_callbacks() as told:
        recordings.write_recording_work(recording.pk, service)
    assert [callback.args[0] for callback in told] == [queue.WRITE_RECORDING_WORK]
    work = recordings.due().get()
    assert (work.state, work.done_ms, len(summarizer.asked)) == (State.WAITING, 1000, 1)


@pytest.mark.django_db
def test_what_will_never_work_fails_with_its_reason(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    recording = recording_of(alice, wav())
    summarizer.break_down(Refused("refused"))
    recordings.write_recording_work(recording.pk, service)
    recording.work.refresh_from_db()
    assert (recording.work.state, recording.work.error, recording.work.due_at) == (State.FAILED, "refused", None)
    assert recordings.request([recording.pk]) == 1
    summarizer.recover()
    summarizer.say(piece_of(), WHOLE)
    recordings.write_recording_work(recording.pk, service)
    recording.work.refresh_from_db()
    assert recording.work.state == State.DONE


@pytest.mark.django_db
def test_a_recording_in_which_nobody_speaks_is_called_by_its_name(
    alice: User, service: SummarizationService, summarizer: FakeSummarizer
) -> None:
    recording = recording_of(alice, wav())
    summarizer.say(piece_of(language="und"))
    recordings.write_recording_work(recording.pk, service)
    work = RecordingWork.objects.get()
    assert (work.title, work.summary, work.language, len(summarizer.asked)) == ("talk", NOBODY_SPEAKS, "", 1)


@pytest.mark.django_db
def test_a_recording_whose_sound_is_gone_says_so(alice: User, service: SummarizationService) -> None:
    recording = recording_of(alice, wav())
    Path(recording.file.path).unlink()
    recordings.write_recording_work(recording.pk, service)
    assert RecordingWork.objects.get().error == "the sound of this recording is gone"


@pytest.mark.django_db
def test_a_recording_that_cannot_be_read_just_now_is_tried_again(alice: User, service: SummarizationService) -> None:
    recording = recording_of(alice, wav())
    path = Path(recording.file.path)
    path.rename(path.with_suffix(".aside"))
    path.mkdir()  # what a disk may say is not that the sound is gone
    recordings.write_recording_work(recording.pk, service)
    work = RecordingWork.objects.get()
    assert (work.state, work.due_at is not None) == (State.WAITING, True)
    assert "gone" not in work.error


@pytest.mark.django_db
def test_what_a_dead_worker_had_in_hand_is_taken_up_and_given_up_in_the_end(alice: User) -> None:
    recording = recording_of(alice, wav())
    for lost in range(1, CLAIMS_LOST_BEFORE_FAILED + 1):
        assert claims.take(RecordingWork.objects.all(), recording.pk) is not None
        RecordingWork.objects.update(claimed_until=timezone.now() - CLAIM_VALID)
        assert cleanup.take_back_lost() == 1
        assert RecordingWork.objects.get().claims_lost == lost
    assert RecordingWork.objects.get().state == State.FAILED


@pytest.mark.django_db
def test_a_recording_that_goes_takes_its_copy_at_the_provider_along(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    recording, other = recording_of(alice, wav(1.0)), recording_of(alice, wav(2.0))
    GeminiFile.objects.create(project="a", sha256=recording.sha256, size_bytes=1, state="active")
    with django_capture_on_commit_callbacks() as told:
        recording.delete()
        other.delete()
    names = [callback.args[:2] for callback in told if callback.args and callback.args[0] == queue.DELETE_AT_GOOGLE]
    assert names == [(queue.DELETE_AT_GOOGLE, recording.sha256)]


# -- the pieces --------------------------------------------------------------------------------------------------------


def test_a_long_sound_is_cut_where_it_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutter, "PIECE_S", 2)
    loud, quiet = wav(1.5), wav(0.4, loudness=0)
    path = tmp_path / "whole"
    frames = loud[44:] + quiet[44:] + loud[44:]
    path.write_bytes(
        loud[:4] + (len(frames) + 36).to_bytes(4, "little") + loud[8:40] + len(frames).to_bytes(4, "little") + frames
    )
    (first, second) = cutter.cut(path, tmp_path)
    assert 1_500 <= first[1] <= 1_900
    assert (first[0], first[1]) == (0, second[0])
    assert second[1] == pytest.approx(3_400, abs=20)
    assert all((tmp_path / f"{number}.mp3").stat().st_size > 1_000 for number in range(2))


def test_what_is_too_long_is_not_listened_to_any_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutter, "PIECE_S", 1)
    monkeypatch.setattr(cutter, "MOST_S", 2)
    path = tmp_path / "whole"
    path.write_bytes(wav(6.0))
    assert cutter.cut(path, tmp_path)[-1][1] < 4_000


def test_what_was_heard_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutter, "PIECE_S", 1)
    path, rest = tmp_path / "whole", tmp_path / "rest"
    path.write_bytes(wav(2.5))
    rest.mkdir()
    first, *others = cutter.cut(path, tmp_path)
    assert cutter.cut(path, rest, heard_ms=first[1]) == others
    for number in range(len(others)):
        assert (rest / f"{number}.mp3").read_bytes() == (tmp_path / f"{number + 1}.mp3").read_bytes()
    assert len(list(rest.iterdir())) == len(others)


@pytest.mark.django_db
def test_the_cutter_is_a_program_of_its_own(alice: User) -> None:
    with cutting.pieces_of(recording_of(alice, wav(1.0)), 0) as (piece,):
        assert (piece.start_ms, piece.media_type) == (0, "audio/mpeg")
        assert piece.end_ms == pytest.approx(1_000, abs=20)
        assert piece.path.read_bytes()
    with pytest.raises(NotCut), cutting.pieces_of(recording_of(alice, b"no sound at all"), 0):
        pass


class Elsewhere(Storage):
    """As those of files on other machines, it knows no paths."""

    sounds: ClassVar[dict[str, bytes]] = {}

    def _save(self, name: str, content: File) -> str:
        self.sounds[name] = content.read()
        return name

    def _open(self, name: str, mode: str = "rb") -> File:
        return ContentFile(self.sounds[name], name)

    def exists(self, name: str) -> bool:
        return name in self.sounds


@pytest.mark.django_db
@pytest.mark.parametrize("backend", ["django.core.files.storage.FileSystemStorage", f"{__name__}.Elsewhere"])
def test_a_sound_is_copied_only_from_a_storage_that_is_no_disk(alice: User, settings: Settings, backend: str) -> None:
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": backend}}
    recording = recording_of(alice, b"short and compressed", media_type="audio/mpeg")
    with cutting.pieces_of(recording, 0) as (piece,):
        assert piece.path.read_bytes() == b"short and compressed"
    is_no_copy = piece.path.exists()
    assert is_no_copy == (not backend.endswith("Elsewhere"))


@given(st.lists(st.integers(-32768, 32767), max_size=50))
def test_a_cut_lies_within_its_piece(samples: list[int]) -> None:
    sound = array("h", samples * 500)
    assert 0 <= cuts.cut_of(sound) <= len(sound)


# -- what is read ------------------------------------------------------------------------------------------------------

times = st.integers(0, 5_999).map(lambda s: f"{s // 60:02}:{s % 60:02}")


@given(st.lists(st.tuples(times, times, st.text(min_size=1)), max_size=20), st.integers(1, 600_000))
def test_segments_lie_within_their_piece_in_order(said: list[tuple[str, str, str]], length_ms: int) -> None:
    heard = read_piece(piece_of(*said), 5_000, 5_000 + length_ms)
    at_ms = 5_000
    for segment in heard.segments:
        assert at_ms <= segment.start_ms <= segment.end_ms <= 5_000 + length_ms
        assert segment.text
        at_ms = segment.start_ms


def test_a_model_that_repeats_itself_fills_no_row() -> None:
    heard = read_piece(piece_of(*[("00:01", "00:01", "a" * 3_000)] * 2_000), 0, 600_000)
    assert sum(len(said.text) for said in heard.segments) <= recording_prompts.PIECE_CHARACTERS


@pytest.mark.parametrize(
    ("text", "ms"), [("00:00", 0), ("12:41", 761_000), ("1:02:03", 3_723_000), ("00:01.5", 1_500), ("0:07,25", 7_250)]
)
def test_times_are_read_as_models_write_them(text: str, ms: int) -> None:
    assert time_of(text) == ms


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"segments": [1]}', '{"segments": [{"start": "a", "end": "b"}]}'])
def test_an_answer_that_is_none_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="the answer"):
        read_piece(answer, 0, 1_000)
