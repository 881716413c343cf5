"""The outline of a sound as it is drawn: the loudest of each of some hundred slots, in one pass without knowing how
long the sound will be. Pure."""

from __future__ import annotations

from array import array

MOST_SLOTS = 1_000
FIRST_SLOT_SAMPLES = 64
"""A slot of the shortest sounds; at 8 kHz 8 ms."""


class Peaks:
    """Takes samples of 16 bits as they come. Slots are equally long, and twice as long whenever they would be more than
    `MOST_SLOTS`: a sound that is long enough has 500 to 1,000 of them."""

    def __init__(self) -> None:
        self._slots: list[int] = []
        self._slot_samples = FIRST_SLOT_SAMPLES
        self._open = 0
        self._open_samples = 0

    def add(self, samples: array[int]) -> None:
        """More of the sound: an array of the type "h"."""
        start = 0
        while start < len(samples):
            part = samples[start : start + self._slot_samples - self._open_samples]
            start += len(part)
            self._open = max(self._open, max(part), -min(part))
            self._open_samples += len(part)
            if self._open_samples == self._slot_samples:
                self._close_slot()

    def as_bytes(self) -> bytes:
        """The peaks until now, one byte a slot: 0 for silence, 255 for as loud as it gets."""
        slots = [*self._slots, self._open] if self._open_samples else self._slots
        return bytes(min(255, peak >> 7) for peak in slots)

    def _close_slot(self) -> None:
        self._slots.append(self._open)
        self._open = self._open_samples = 0
        if len(self._slots) == MOST_SLOTS:
            pairs = zip(self._slots[::2], self._slots[1::2], strict=True)
            self._slots = [max(pair) for pair in pairs]
            self._slot_samples *= 2
