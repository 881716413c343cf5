"""Recordings in requests: heard whatever their format, told of to the second, and refused where they cannot be used."""

import asyncio
import io
import re
from pathlib import Path

import numpy as np
import pytest
from google import genai
from google.genai import errors, types
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from emulator import decoding, recording_ear
from emulator.attachments import Attachments
from emulator.decoding import decoded
from emulator.recording import PASSAGES_KEPT, WORDS_WITHIN_S, Listener, Passage, Recording, Utterance
from emulator.recording_ear import RECORDINGS_KEPT, RecordingEar
from emulator.recording_words import UNHEARD, at, describe, transcribe
from emulator.rest_errors import ApiError
from emulator.sound import SoundError
from emulator.state import Emulator as State
from emulator.state import Options
from emulator.structured import Said, fill
from tests.emulator.client import sdk, speech
from tests.emulator.recordings import FORMATS, encoded, hum, silence
from tests.services.emulator import Emulator

CHAT = "gemini-3.8-flash"
WORDS = "my code word is plum 42"


class Segment(BaseModel):
    """What a transcript is made of."""

    start: str = Field(description="MM:SS")
    end_s: float
    speaker: str
    text: str


class Transcript(BaseModel):
    """What an application asks for."""

    title: str
    language: str
    summary: str
    duration_s: int
    segments: list[Segment]


@pytest.fixture
def client(emulator: Emulator) -> genai.Client:
    return sdk(emulator)


@pytest.fixture(scope="module")
def memo() -> bytes:
    """Five seconds of silence, something said, a tone, and silence again: 16 kHz PCM16."""
    said = asyncio.run(speech("My code word is PLUM-42."))
    return silence(5) + said + silence(10 - len(said) / 32_000) + hum(3) + silence(2)


def uploaded(client: genai.Client, data: bytes, mime_type: str = "audio/ogg") -> types.File:
    return client.files.upload(file=io.BytesIO(data), config={"mime_type": mime_type})


def asked(client: genai.Client, *contents: types.File | types.Part | str) -> types.GenerateContentResponse:
    return client.models.generate_content(model=CHAT, contents=list(contents))


def audio_tokens(response: types.GenerateContentResponse) -> int | None:
    assert response.usage_metadata
    details = response.usage_metadata.prompt_tokens_details or []
    return next((d.token_count for d in details if d.modality == types.MediaModality.AUDIO), None)


def listened(pcm: bytes) -> Recording:
    listener = Listener()
    listener.feed(pcm)
    return listener.finish()


def test_an_answer_proves_that_a_file_was_heard(emulator: Emulator, client: genai.Client, memo: bytes) -> None:
    response = asked(client, uploaded(client, encoded(memo, "audio/ogg")), "What is in this recording?")
    text = response.text or ""
    assert text.startswith("The recording lasts 00:20 (20 seconds). It is quiet from 00:00 to 00:05")
    assert "loud from 00:15 to 00:18 (-15 dB), quiet from 00:18 to 00:20" in text
    assert f'I heard at 00:05 "{WORDS}".' in text
    assert audio_tokens(response) in range(20 * 32, 20 * 32 + 2)
    heard = emulator.entries("recording_heard")
    assert [(entry["duration_ms"] // 1000, entry["words"]) for entry in heard] == [(20, WORDS)]


def test_what_is_said_in_a_recording_answers_questions_now_and_later(client: genai.Client, memo: bytes) -> None:
    chat = client.chats.create(model=CHAT)
    file = uploaded(client, encoded(memo, "audio/ogg"))
    first = chat.send_message([file, "What is my code word?"])
    assert "Your code word is plum 42. The recording lasts 00:20" in (first.text or "")
    assert chat.send_message("What is my code word?").text == "Your code word is plum 42."
    assert "00:20" in (chat.send_message("How long is the recording?").text or "")


def test_a_transcript_is_streamed_with_its_times(client: genai.Client, memo: bytes) -> None:
    file = uploaded(client, encoded(memo, "audio/ogg"))
    stream = client.models.generate_content_stream(model=CHAT, contents=[file, "Transcribe this recording."])
    assert "".join(piece.text or "" for piece in stream) == f"[00:05] Speaker 1: {WORDS}"


def test_a_transcript_fills_the_schema_asked_for(client: genai.Client, memo: bytes) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Transcript)
    file = uploaded(client, encoded(memo, "audio/ogg"))
    transcript = client.models.generate_content(model=CHAT, contents=[file, "Transcribe."], config=config).parsed
    assert isinstance(transcript, Transcript)
    (segment,) = transcript.segments
    assert (segment.start, segment.speaker, segment.text) == ("00:05", "Speaker 1", WORDS)
    assert segment.end_s == pytest.approx(7, abs=0.5)
    assert (transcript.title, transcript.language, transcript.duration_s) == (WORDS, "en", 20)
    assert transcript.summary.startswith("The user's code word is plum 42.")
    assert "The recording lasts 00:20 (20 seconds)." in transcript.summary


@pytest.mark.parametrize("mime_type", FORMATS)
def test_every_usual_format_is_read(mime_type: str) -> None:
    pcm = hum(2) + silence(2)
    heard = b"".join(decoded(encoded(pcm, mime_type), mime_type))
    recording = listened(heard)
    assert recording.duration_ms == pytest.approx(4_000, abs=200)
    assert [passage.is_loud for passage in recording.passages] == [True, False]
    assert recording.passages[0].end_ms == pytest.approx(2_000, abs=200)


@pytest.mark.parametrize(("mime_type", "rate_hz"), [("audio/pcm", 16_000), ("audio/L16;rate=24000", 24_000)])
def test_bare_samples_are_read_at_their_rate(tmp_path: Path, mime_type: str, rate_hz: int) -> None:
    path = tmp_path / "bare"
    path.write_bytes(bytes(rate_hz * 2 * 3))
    assert len(b"".join(decoded(path, mime_type))) == pytest.approx(3 * 32_000, abs=200)


def test_a_recording_may_come_with_the_request(client: genai.Client) -> None:
    part = types.Part.from_bytes(data=encoded(hum(2), "audio/mp3"), mime_type="audio/mp3")
    response = asked(client, part)
    assert (response.text or "").startswith("The recording lasts 00:02 (2 seconds).")
    tokens = client.models.count_tokens(model=CHAT, contents=[part])
    assert tokens.total_tokens == audio_tokens(response)


def test_a_file_cannot_be_used_before_it_is_active(emulator: Emulator, client: genai.Client) -> None:
    emulator.fault("slow_processing", delay_s=600)
    emulator.fault("fail_processing")
    failing, file = (uploaded(client, encoded(hum(1), "audio/ogg")) for _ in range(2))
    for unusable in (file, failing):
        with pytest.raises(errors.ClientError) as refused:
            asked(client, unusable)
        assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")
        name = (unusable.name or "").removeprefix("files/")
        assert refused.value.message == f"The File {name} is not in an ACTIVE state and usage is not allowed."
    emulator.forward(600)
    assert asked(client, file).text
    with pytest.raises(errors.ClientError, match="not in an ACTIVE state"):
        asked(client, failing)


@pytest.mark.parametrize("reason", ["deleted", "expired", "lost", "foreign", "unknown"])
def test_a_file_that_is_not_to_be_had_is_forbidden(emulator: Emulator, client: genai.Client, reason: str) -> None:
    file = uploaded(client, encoded(hum(1), "audio/ogg"))
    assert file.name
    assert file.uri
    user = client
    match reason:
        case "deleted":
            client.files.delete(name=file.name)
        case "expired":
            emulator.forward(48 * 3600)
        case "lost":
            emulator.fault("lose_file")
        case "foreign":
            user = sdk(emulator, "somebody-else")
        case "unknown":
            file.uri += "0"
    with pytest.raises(errors.ClientError) as refused:
        asked(user, file)
    assert (refused.value.code, refused.value.status) == (403, "PERMISSION_DENIED")
    assert re.search(r"access the File \w+ or it may not exist\.$", refused.value.message or "")


def test_what_is_no_address_of_a_file_is_refused(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match=r"Invalid or unsupported file uri: gs://bucket/a.mp3"):
        asked(client, types.Part.from_uri(file_uri="gs://bucket/a.mp3", mime_type="audio/mp3"))


@pytest.mark.parametrize("mime_type", ["application/octet-stream", "audio/midi"])
def test_a_kind_of_data_that_is_not_taken_is_refused_when_it_is_used(client: genai.Client, mime_type: str) -> None:
    file = uploaded(client, b"MThd", mime_type)
    with pytest.raises(errors.ClientError, match=f"Unsupported MIME type: {mime_type}"):
        asked(client, file)


@pytest.mark.parametrize("data", [b"no sound at all" * 100, b"\0"])
def test_a_file_without_sound_is_refused(client: genai.Client, data: bytes) -> None:
    with pytest.raises(errors.ClientError) as refused:
        asked(client, uploaded(client, data, "audio/mp3"))
    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")


def test_a_prompt_has_a_largest_size(client: genai.Client) -> None:
    ten_minutes = encoded(silence(600), "audio/flac")
    part = types.Part.from_bytes(data=ten_minutes, mime_type="audio/flac")
    with pytest.raises(errors.ClientError, match=r"input token count \(\d+\) exceeds the maximum .* \(1048576\)\."):
        asked(client, *[part] * 55)


def test_a_recording_that_is_spoilt_in_the_middle_is_heard_around_it() -> None:
    data = bytearray(encoded(hum(6), "audio/mp3"))
    middle = len(data) // 2
    data[middle : middle + 500] = b"\xa5" * 500
    assert len(b"".join(decoded(bytes(data), "audio/mp3"))) / 32_000 > 5


def test_a_recording_cut_short_is_heard_as_far_as_it_goes() -> None:
    data = encoded(hum(6), "audio/ogg")
    seconds = len(b"".join(decoded(data[: len(data) // 2], "audio/ogg"))) / 32_000
    assert 1 < seconds < 5


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(encoded(hum(1), "audio/wav"))
    playlist = tmp_path / "list"
    playlist.write_text("ffconcat version 1.0\nfile secret.wav\n", encoding="utf-8")
    with pytest.raises(SoundError):
        list(decoded(playlist, "audio/mp3"))


def test_no_more_than_the_longest_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LONGEST_S", 2)
    assert len(b"".join(decoded(encoded(hum(5), "audio/flac"), "audio/flac"))) == 2 * 32_000


async def test_without_the_decoder_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "can_decode", lambda: False)
    state = State(Options(voice=False, recogniser=False))
    part = types.Part.from_bytes(data=b"ID3", mime_type="audio/mp3").model_dump(mode="json", by_alias=True)
    with pytest.raises(ApiError, match="the package av is not installed") as refused:
        await Attachments(state, "ours").recording_in(part)
    assert refused.value.status == 501


class Scribe:
    """A recogniser that knows one answer, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def recognise(self, pcm: bytes) -> str | None:
        self.asked += 1
        return "hello"


def syllables(seconds: int) -> bytes:
    """Loud and soft in turn, as speech is."""
    one = b"".join((np.frombuffer(hum(0.2), dtype="<i2") * share).astype("<i2").tobytes() for share in (1.0, 0.2))
    return (one * (seconds * 3))[: seconds * 32_000]


async def test_a_recording_that_comes_again_is_not_heard_again_while_it_is_one_of_the_last() -> None:
    scribe = Scribe()
    ear = RecordingEar(scribe)
    clips = [encoded(syllables(1) + silence(0.001 * n), "audio/wav") for n in range(RECORDINGS_KEPT + 1)]
    for clip in (clips[0], *clips, clips[-1], clips[0]):
        assert (await ear.hear_bytes(clip, "audio/wav")).words == "hello"
    assert scribe.asked == RECORDINGS_KEPT + 2


async def test_words_take_no_longer_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_ear, "WORDS_TAKE_S", 0.0)
    scribe = Scribe()
    heard = await RecordingEar(scribe).hear_bytes(encoded(syllables(2), "audio/wav"), "audio/wav")
    assert (scribe.asked, [said.words for said in heard.utterances]) == (0, [None])
    assert "made out no words" in describe([heard])


def test_words_are_looked_for_in_the_first_minutes_and_loudness_to_the_end() -> None:
    quiet_s = WORDS_WITHIN_S + 20
    recording = listened(syllables(25) + silence(quiet_s) + syllables(5))
    assert recording.duration_ms == (25 + quiet_s + 5) * 1000
    assert [said.end_ms - said.start_ms for said in recording.utterances] == pytest.approx(
        [10_000, 10_000, 5_000], abs=200
    )
    assert recording.passages[-1].is_loud
    assert transcribe([recording]).splitlines()[-1] == f"[{at((25 + quiet_s) * 1000)}] Speaker 1: {UNHEARD}"


def test_steady_noise_is_loud_and_no_speech() -> None:
    recording = listened(hum(5))
    assert recording.passages == (Passage(0, 5_000, True, recording.passages[0].level_db),)
    assert describe([recording]).endswith("I heard nobody speak.")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=12), st.integers(1, 50_000))
def test_passages_follow_each_other_from_start_to_end(parts: list[tuple[bool, int]], piece_bytes: int) -> None:
    pcm = b"".join(hum(tenths / 10) if loud else silence(tenths / 10) for loud, tenths in parts)
    whole, listener = listened(pcm), Listener()
    for start in range(0, len(pcm), piece_bytes * 2):
        listener.feed(pcm[start : start + piece_bytes * 2])
    assert listener.finish() == whole
    assert whole.duration_ms == sum(tenths for _, tenths in parts) * 100
    assert [whole.passages[0].start_ms, whole.passages[-1].end_ms] == [0, whole.duration_ms]
    for earlier, later in zip(whole.passages, whole.passages[1:], strict=False):
        assert earlier.end_ms == later.start_ms
        assert earlier.is_loud != later.is_loud


def test_passages_are_bounded() -> None:
    recording = listened((hum(0.3) + silence(1.1)) * (PASSAGES_KEPT // 2 + 20))
    assert len(recording.passages) == PASSAGES_KEPT
    assert f"and {PASSAGES_KEPT - 20} more passages" in describe([recording])


@pytest.mark.parametrize(
    ("milliseconds", "written", "with_hours"),
    [(0, "00:00", "00:00:00"), (65_499, "01:05", "00:01:05"), (3_599_500, "1:00:00", "01:00:00")],
)
def test_times_are_written_as_models_write_them(milliseconds: int, written: str, with_hours: str) -> None:
    assert (at(milliseconds), at(milliseconds, hours=True)) == (written, with_hours)


@pytest.mark.parametrize(
    ("name", "schema", "value"),
    [
        ("start", {"type": "STRING"}, "01:05"),
        ("start", {"type": "STRING", "description": "HH:MM:SS"}, "00:01:05"),
        ("startTime", {"type": "STRING", "description": "in seconds"}, "65"),
        ("start_ms", {"type": "INTEGER"}, 65_250),
        ("start", {"type": "INTEGER"}, 65),
        ("start", {"type": "number"}, 65.2),
        ("timestamp", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "01:05"),
    ],
)
def test_times_have_the_shape_that_a_schema_asks_for(name: str, schema: dict[str, object], value: object) -> None:
    recording = Recording(70_000, (), (Utterance(65_250, 67_000, words="hello"),))
    item = {"type": "OBJECT", "properties": {name: schema, "text": {"type": "STRING"}}}
    filled = fill({"type": "ARRAY", "items": item}, "hello", Said("", ""), (recording,))
    assert filled == [{name: value, "text": "hello"}]
