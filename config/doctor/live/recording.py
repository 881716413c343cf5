"""Frames of a talk as lines of JSON: without sound, handles and ids of sessions. The key is in no frame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CUT_SOUND = "AAAA" * 10 + "AA=="
"""In the place of sound: 31 bytes of silence in base64, for a reader that wants some."""

IDS = {"handle", "newHandle", "new_handle", "sessionId", "session_id"}


class Recording:
    """Takes frames down as they come; `lines` has them as `{"dir": ..., "at": ..., "msg": ...}`, as recordings of
    others are, with `sound_bytes` where sound was cut. Ids have a name for each instead."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, str] = {}

    def note(self, direction: str, at_s: float, frame: str | bytes) -> None:
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            message = {"unreadable": len(frame)}
        sound: list[int] = []
        entry = {"dir": direction, "at": round(at_s, 3), "msg": self._without_secrets(message, sound)}
        if sound:
            entry["sound_bytes"] = sum(sound)
        self.lines.append(json.dumps(entry, ensure_ascii=False))

    def write(self, path: Path) -> None:
        """For its owner alone. Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def _without_secrets(self, value: Any, sound: list[int]) -> Any:
        if isinstance(value, list):
            return [self._without_secrets(each, sound) for each in value]
        if not isinstance(value, Mapping):
            return value
        kept = {}
        for key, each in value.items():
            if key == "data" and isinstance(each, str):
                sound.append(len(each.rstrip("=")) * 3 // 4)
                kept[key] = CUT_SOUND
            elif key in IDS and isinstance(each, str) and each:
                kept[key] = self._names.setdefault(each, f"id-{len(self._names) + 1}")
            else:
                kept[key] = self._without_secrets(each, sound)
        return kept
