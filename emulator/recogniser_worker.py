"""The recogniser's own process: reads utterances from stdin, writes what it made out to stdout.

Each request is four bytes of length (big endian) and that much 16 kHz PCM16; each answer is one line of text, empty
when no words were made out. PocketSphinx holds the interpreter while it works, so it must not share one with the event loop.
"""

from __future__ import annotations

import struct
import sys


def main() -> None:
    """Load the model, say `ready`, and answer until stdin closes."""
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    _answer("ready")
    while header := sys.stdin.buffer.read(4):
        (length,) = struct.unpack(">I", header)
        decoder.start_utt()
        decoder.process_raw(sys.stdin.buffer.read(length), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        _answer(hypothesis.hypstr if hypothesis else "")


def _answer(text: str) -> None:
    sys.stdout.write(text.replace("\n", " ") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
