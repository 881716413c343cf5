"""What a request brings along or names for its prompt: which of it is a recording, and what is heard in that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.decoding import DecoderMissingError, is_played
from emulator.file_calls import file_for_prompt
from emulator.recording import Recording
from emulator.rest_errors import ApiError, refusal
from emulator.sound import is_plain
from emulator.state import Emulator
from emulator.wire import Json, decode_base64

_AUDIO = re.compile(r"^audio/", re.IGNORECASE)
_LOOKED_AT = re.compile(r"^(?:image|video|text)/|^application/(?:pdf|json|x-javascript|x-python|rtf)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachments:
    """What a caller may use: files of the project whose key it has, and what came with its request."""

    emulator: Emulator
    project: str

    async def recording_in(self, part: Json) -> Recording | None:
        """What is heard in a part, or None for one that is no recording.

        Sound that comes with a request as plain PCM is speech of that turn, and no recording. Raises `ApiError` for
        files that cannot be used and for kinds of data that the service does not take, and `SoundError`.
        """
        try:
            if named := part.get("fileData"):
                return await self._in_file(named)
            blob = part.get("inlineData") or {}
            mime_type = str(blob.get("mimeType", ""))
            if not _AUDIO.match(mime_type) or is_plain(mime_type):
                return None
            _check(mime_type)
            return await self.emulator.recording_ear.hear_bytes(decode_base64(blob.get("data", "")), mime_type)
        except DecoderMissingError as error:
            raise _missing() from error

    async def _in_file(self, named: Json) -> Recording | None:
        file = file_for_prompt(self.emulator, self.project, str(named.get("fileUri", "")))
        if file is None:
            return None
        mime_type = str(named.get("mimeType") or file.mime_type)
        _check(mime_type)
        if not _AUDIO.match(mime_type):
            return None
        path = self.emulator.files.path(file)
        return await self.emulator.recording_ear.hear_file(path, file.sha256_hex, mime_type)


def _check(mime_type: str) -> None:
    if not (is_played(mime_type) if _AUDIO.match(mime_type) else _LOOKED_AT.match(mime_type)):
        raise refusal(400, f"Unsupported MIME type: {mime_type}")


def _missing() -> ApiError:
    message = "This emulator hears no recordings: the package av is not installed (emulator/requirements.txt)."
    return refusal(501, message, status="UNIMPLEMENTED")
