"""Files of the Files API: uploaded in pieces, listed, shown and deleted; kept in memory for 48 hours."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from emulator.wire import Json

_KEPT = dt.timedelta(hours=48)
_MAX_TOTAL_BYTES = 256 * 1024 * 1024


@dataclass
class Upload:
    """A file, complete or on its way."""

    id: str
    display_name: str
    mime_type: str
    created: dt.datetime
    data: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def as_resource(self, base_url: str) -> Json:
        """The file as the API shows it."""
        digest = hashlib.sha256(self.data).hexdigest().encode()
        return {
            "name": f"files/{self.id}",
            **({"displayName": self.display_name} if self.display_name else {}),
            "mimeType": self.mime_type,
            "sizeBytes": str(len(self.data)),
            "createTime": _stamp(self.created),
            "updateTime": _stamp(self.created),
            "expirationTime": _stamp(self.created + _KEPT),
            "sha256Hash": base64.b64encode(digest).decode(),
            "uri": f"{base_url}/v1beta/files/{self.id}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }


class UploadError(ValueError):
    """A piece that does not fit; its text says why."""


class UploadStore:
    """All files, the oldest dropped when together they grow too large."""

    def __init__(self) -> None:
        self._uploads: OrderedDict[str, Upload] = OrderedDict()

    def start(self, display_name: str, mime_type: str) -> Upload:
        """Begin a file; its id is also the secret of its upload address."""
        now = dt.datetime.now(dt.UTC)
        upload = Upload(secrets.token_hex(6), display_name, mime_type or "application/octet-stream", now)
        self._uploads[upload.id] = upload
        return upload

    def append(self, upload_id: str, offset: int, data: bytes, *, finalize: bool) -> Upload:
        """Add a piece at `offset`; raises `UploadError` (or `KeyError` for an unknown id)."""
        upload = self._uploads[upload_id]
        if upload.complete or offset != len(upload.data):
            raise UploadError(f"Expected offset {len(upload.data)}, not {offset}.")
        upload.data += data
        upload.complete = finalize
        while sum(len(kept.data) for kept in self._uploads.values()) > _MAX_TOTAL_BYTES and len(self._uploads) > 1:
            self._uploads.popitem(last=False)
        return upload

    def get(self, upload_id: str) -> Upload:
        """Return a complete file; raises `KeyError`."""
        upload = self._uploads[upload_id]
        if not upload.complete or upload.created + _KEPT < dt.datetime.now(dt.UTC):
            raise KeyError(upload_id)
        return upload

    def delete(self, upload_id: str) -> None:
        """Forget a file; raises `KeyError`."""
        del self._uploads[upload_id]

    def all(self) -> list[Upload]:
        """Every complete file, newest first."""
        return [upload for upload in reversed(self._uploads.values()) if upload.complete]


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
