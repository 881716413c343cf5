"""What of a live session exists in its process alone, for the process that goes on with it: sound, and words."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

_HEAD_SIZE = struct.Struct(">I")

Frames = tuple[tuple[int, bytes], ...]
"""Numbered frames of PCM16 mono, in order."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """`down`: at 24 kHz, not heard by the page so far. `next_down`: the number of the next such frame. `owes_flush`:
    the page is to drop what it has. `next_up`: the number of the first of the user's frames that is not safe, as the
    page may not have been told. `up`: at 16 kHz, said by the user, and covered by no handle. `typed`: ids and texts of
    messages that were not answered, and the ids of the recordings that they ask about. The last two are empty for a
    page that still has them itself."""

    next_down: int = 0
    down: Frames = ()
    owes_flush: bool = False
    next_up: int = 0
    up: Frames = ()
    typed: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody would miss it."""
        return not (self.down or self.owes_flush or self.next_up or self.up or self.typed)

    def pack(self) -> bytes:
        """As bytes for a row: a head in JSON, and the sound behind it."""
        head = json.dumps(
            {
                "next_down": self.next_down,
                "owes_flush": self.owes_flush,
                "next_up": self.next_up,
                "typed": [(id, text) for id, text, _ in self.typed],
                "about": [recordings for _, _, recordings in self.typed],
                "down": [(number, len(pcm)) for number, pcm in self.down],
                "up": [(number, len(pcm)) for number, pcm in self.up],
            }
        ).encode()
        sound = (pcm for frames in (self.down, self.up) for _, pcm in frames)
        return b"".join((_HEAD_SIZE.pack(len(head)), head, *sound))


def unpack(packed: bytes) -> Parcel:
    """The reverse of `Parcel.pack`."""
    (head_size,) = _HEAD_SIZE.unpack_from(packed)
    position = _HEAD_SIZE.size + head_size
    head = json.loads(packed[_HEAD_SIZE.size : position])
    frames: dict[str, list[tuple[int, bytes]]] = {"down": [], "up": []}
    for name in ("down", "up"):
        for number, size in head[name]:
            frames[name].append((number, packed[position : position + size]))
            position += size
    about = head.get("about") or [()] * len(head["typed"])  # the version before writes none
    typed = tuple((id, text, tuple(ids)) for (id, text), ids in zip(head["typed"], about, strict=True))
    return Parcel(
        head["next_down"], tuple(frames["down"]), head["owes_flush"], head["next_up"], tuple(frames["up"]), typed
    )
