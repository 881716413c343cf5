"""The recogniser's own process: reads utterances from stdin, writes what it made out to stdout.

Each request is four bytes of length (big endian) and that much 16 kHz PCM16; each answer is one line of text, empty
when no words were made out. PocketSphinx holds the interpreter while it works, so it may not share one with the event
loop.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

_GRAMMAR = Path(__file__).with_name("phrases.gram")
_RATE_HZ = 16_000
_FRAME = _RATE_HZ // 50
_LOUD_RMS = 300
# A sentence of the grammar scores -19 to -30 a frame, anything else forced into it below -31 (measured on eSpeak NG).
_MIN_FRAME_SCORE = -30.5
# The best path may leave most of a foreign sentence out; people speak more words than this in a second.
_MIN_WORDS_PER_S = 1.2
_NARROW = {"fwdflat": False, "bestpath": False, "maxhmmpf": 2000, "maxwpf": 5, "topn": 2, "ds": 2}
"""How far free speech is searched: a quarter of the work of PocketSphinx's defaults, whose words are as wrong."""


def main() -> None:
    """Load the grammar, say `ready`, and answer until stdin closes."""
    phrases = Decoder(samprate=_RATE_HZ, loglevel="FATAL", lm=None, jsgf=str(_GRAMMAR))
    _answer("ready")
    anything = Decoder(samprate=_RATE_HZ, loglevel="FATAL", **_NARROW)
    while header := sys.stdin.buffer.read(4):
        (length,) = struct.unpack(">I", header)
        pcm = sys.stdin.buffer.read(length)
        _answer(_phrase(phrases, pcm) or _decode(anything, pcm))


def _phrase(decoder: Decoder, pcm: bytes) -> str:
    """The sentence of the grammar that was said, or nothing if it was something else."""
    text = _decode(decoder, pcm)
    if not text or not decoder.get_fsg().accept(text):
        return ""
    frames = max(segment.end_frame for segment in decoder.seg())
    score = decoder.logmath.log(decoder.hyp().score) / max(frames, 1)
    fits = score > _MIN_FRAME_SCORE and len(text.split()) >= _MIN_WORDS_PER_S * _loud_s(pcm)
    return text if fits else ""


def _loud_s(pcm: bytes) -> float:
    """How much of the sound is louder than a pause."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    loud = np.sqrt((frames**2).mean(axis=1)) > _LOUD_RMS
    return float(loud.sum()) * _FRAME / _RATE_HZ


def _decode(decoder: Decoder, pcm: bytes) -> str:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return str(hypothesis.hypstr) if hypothesis else ""


def _answer(text: str) -> None:
    sys.stdout.write(text.replace("\n", " ") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
