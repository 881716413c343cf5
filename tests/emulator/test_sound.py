"""Sound as clients send it: read in every usual shape, and told apart from noise."""

import io
import wave

import numpy as np
import pytest

from emulator.sound import SoundError, listen, read_pcm
from emulator.vad import BYTES_PER_MS

RATES_HZ = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)


def tone(rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    return 8_000 * np.sin(2 * np.pi * 440 * np.arange(int(rate_hz * seconds)) / rate_hz)


def wav(samples: np.ndarray, rate_hz: int, *, width: int = 2, channels: int = 1) -> bytes:
    """Samples of PCM16 as a WAV file of another width, the same in each channel."""
    pcm16 = samples.astype("<i2")
    if width == 1:
        frames = (pcm16 // 256 + 128).astype(np.uint8).reshape(-1, 1)
    else:
        upper = pcm16.view(np.uint8).reshape(-1, 2)
        frames = np.hstack([np.zeros((len(pcm16), width - 2), np.uint8), upper])
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate_hz)
        written.writeframes(np.hstack([frames] * channels).tobytes())
    return file.getvalue()


def loudness(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2)))


def pitch_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", ["wav", "pcm"])
def test_a_tone_of_any_usual_rate_sounds_the_same_at_16_khz(rate_hz: int, kind: str) -> None:
    samples = tone(rate_hz)
    if kind == "wav":
        pcm = read_pcm(wav(samples, rate_hz), "audio/wav")
    else:
        pcm = read_pcm(samples.astype("<i2").tobytes(), f"audio/L16;codec=pcm;rate={rate_hz}")
    assert len(pcm) == pytest.approx(500 * BYTES_PER_MS, abs=4)
    assert pitch_hz(pcm) == pytest.approx(440, abs=2)
    assert loudness(pcm) == pytest.approx(8_000 / 2**0.5, rel=0.05)


@pytest.mark.parametrize(("width", "channels"), [(1, 1), (3, 1), (4, 1), (2, 2), (3, 2)])
def test_wider_and_narrower_samples_and_both_channels_are_read(width: int, channels: int) -> None:
    pcm = read_pcm(wav(tone(16_000), 16_000, width=width, channels=channels), "audio/x-wav")
    assert pitch_hz(pcm) == pytest.approx(440, abs=2)
    assert loudness(pcm) == pytest.approx(8_000 / 2**0.5, rel=0.05)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"RIFF", "audio/wav"),
        (b"not a wav file", "audio/wav"),
        (b"123", "audio/pcm;rate=16000"),
        (b"1234", "audio/pcm;rate=1"),
        (b"1234", "audio/mpeg"),
    ],
)
def test_what_is_no_sound_says_why(data: bytes, mime_type: str) -> None:
    with pytest.raises(SoundError):
        read_pcm(data, mime_type)


def test_steady_noise_is_no_speech_and_neither_are_a_knock_and_silence() -> None:
    noise = np.random.default_rng(1).normal(0, 3_000, 24_000)
    padded = np.concatenate([np.zeros(8_000), noise, np.zeros(8_000)])
    knock = np.concatenate([np.zeros(8_000), noise[:1_200] * np.linspace(3, 0, 1_200), np.zeros(8_000)])
    for samples in (noise, padded, knock, np.zeros(16_000)):
        assert listen(samples.astype("<i2").tobytes(), "audio/pcm;rate=16000").utterances == ()


def test_a_voice_between_pauses_is_one_utterance_for_each() -> None:
    syllables = np.concatenate([tone(16_000, 0.2) * gain for gain in (1.0, 0.3, 0.8, 0.2)])
    spoken = np.concatenate([syllables, np.zeros(16_000), syllables]).astype("<i2").tobytes()
    sound = listen(spoken, "audio/pcm")
    assert len(sound.utterances) == 2
    assert sound.duration_ms == 2_600
    assert sound.speech_ms == pytest.approx(1_600, abs=100)
