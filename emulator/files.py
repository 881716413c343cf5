"""Files of the Files API on disk: their states, their 48 hours, and how much of them a project may have."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import shutil
import tempfile
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from emulator.clock import Clock, stamp
from emulator.uploads import Upload, UploadOverError
from emulator.wire import Json

KEPT_S = 48 * 3600.0
MOST_FILE_BYTES = 2 * 1024**3
MOST_PROJECT_BYTES = 20 * 1024**3
UPLOADS_AT_ONCE = 100
"""Uploads that are on their way; the oldest gives way."""

FILES_KEPT = 10_000
"""Files of all projects; there is no room for more."""

_FILE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MOST_DISPLAY_NAME = 512

State = Literal["PROCESSING", "ACTIVE", "FAILED"]


class FileNameError(ValueError):
    """A name that no file can have; its text says why."""


class NameTakenError(ValueError):
    """Another file has that name."""


class FileTooLargeError(ValueError):
    """More than one file may have."""


class StorageFullError(ValueError):
    """More than a project may have."""


@dataclass(frozen=True, slots=True)
class Processing:
    """What is to become of a file: after `seconds` it is active, or has failed for the reason `failure`."""

    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded; times in seconds since 1970, `path` without its folder. It never changes."""

    id: str
    project: str
    display_name: str
    mime_type: str
    size_bytes: int
    sha256_hex: str
    created_at: float
    processed_at: float
    failure: str

    @property
    def name(self) -> str:
        """The resource name."""
        return f"files/{self.id}"

    @property
    def expires_at(self) -> float:
        """When it is gone."""
        return self.created_at + KEPT_S

    def state(self, now: float) -> State:
        """What can be done with it."""
        if now < self.processed_at:
            return "PROCESSING"
        return "FAILED" if self.failure else "ACTIVE"

    def as_resource(self, base_url: str, now: float) -> Json:
        """The file as the API shows it. The digest is the base64 of its hexadecimal digits, as it comes there."""
        state = self.state(now)
        return {
            "name": self.name,
            **({"displayName": self.display_name} if self.display_name else {}),
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size_bytes),
            "createTime": stamp(self.created_at),
            "updateTime": stamp(self.created_at if state == "PROCESSING" else self.processed_at),
            "expirationTime": stamp(self.expires_at),
            "sha256Hash": base64.b64encode(self.sha256_hex.encode()).decode(),
            "uri": f"{base_url}/v1beta/files/{self.id}",
            "state": state,
            "source": "UPLOADED",
            **({"error": {"code": 13, "message": self.failure}} if state == "FAILED" else {}),
        }


class FileStore:
    """All files and uploads, in a temporary folder, or in `folder`, where the next emulator finds the files again.

    A file that is over is as if it had never been.
    """

    def __init__(
        self,
        clock: Clock,
        folder: Path | None = None,
        *,
        most_file_bytes: int = MOST_FILE_BYTES,
        most_project_bytes: int = MOST_PROJECT_BYTES,
    ) -> None:
        self._clock = clock
        self._kept_in = folder
        self._temporary: Path | None = None
        self._most_file_bytes = most_file_bytes
        self.most_project_bytes = most_project_bytes
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        if folder is not None:
            self._find_again(folder)

    def begin(
        self,
        project: str,
        described: Json,
        mime_type: str,
        declared_bytes: int | None,
        most_project_bytes: int | None = None,
    ) -> Upload:
        """Begin an upload of what the client has described.

        Raises `FileNameError`, `NameTakenError`, `FileTooLargeError` and, where the project would have more than
        `most_project_bytes` (usually the limit of the store), `StorageFullError`.
        """
        file_id = self._file_id(str(described.get("name") or ""))
        display_name = str(described.get("displayName") or "")
        if len(display_name) > _MOST_DISPLAY_NAME:
            raise FileNameError(f"display_name must have no more than {_MOST_DISPLAY_NAME} characters.")
        if (declared_bytes or 0) > self._most_file_bytes:
            raise FileTooLargeError(f"The file is larger than {self._most_file_bytes} bytes.")
        most_bytes = self.most_project_bytes if most_project_bytes is None else most_project_bytes
        left_bytes = most_bytes - self.stored_bytes(project)
        if len(self._files) >= FILES_KEPT or left_bytes <= 0 or (declared_bytes or 0) > left_bytes:
            raise StorageFullError(str(most_bytes))
        id_ = secrets.token_urlsafe(24)
        upload = Upload(
            id_,
            project,
            file_id,
            display_name,
            mime_type,
            declared_bytes,
            min(self._most_file_bytes, left_bytes),
            self._folder() / f"{id_}.part",
        )
        self._uploads[id_] = upload
        while len(self._uploads) > UPLOADS_AT_ONCE:
            self.drop(next(iter(self._uploads.values())))
        return upload

    def upload(self, upload_id: str) -> Upload:
        """An upload that is on its way; raises `KeyError`."""
        return self._uploads[upload_id]

    def drop(self, upload: Upload) -> None:
        """Let go of an upload."""
        self._uploads.pop(upload.id, None)
        upload.path.unlink(missing_ok=True)

    def complete(self, upload: Upload, processing: Processing) -> StoredFile:
        """Make the file of an upload; raises `UploadOverError` for one that cannot be, and `NameTakenError`."""
        if upload.id not in self._uploads:
            raise UploadOverError("The upload was called off.")
        upload.check_complete()
        if upload.file_id in self._files:
            raise NameTakenError(upload.file_id)
        now = self._clock.time()
        file = StoredFile(
            upload.file_id,
            upload.project,
            upload.display_name,
            upload.mime_type,
            upload.received_bytes,
            upload.sha256_hex,
            now,
            now + processing.seconds,
            processing.failure,
        )
        upload.path.rename(self.path(file))
        if self._kept_in is not None:
            self._description(file).write_text(json.dumps(asdict(file)), encoding="utf-8")
        self._files[file.id] = file
        self._uploads.pop(upload.id, None)
        return file

    def path(self, file: StoredFile) -> Path:
        """Where the bytes of a file are."""
        return self._folder() / f"{file.id}.data"

    def get(self, project: str, file_id: str) -> StoredFile:
        """A file of a project; raises `KeyError` when there is none, or not any more."""
        self._forget_expired()
        file = self._files[file_id]
        if file.project != project:
            raise KeyError(file_id)
        return file

    def delete(self, file: StoredFile) -> None:
        """Let go of a file."""
        self._files.pop(file.id, None)
        self.path(file).unlink(missing_ok=True)
        self._description(file).unlink(missing_ok=True)

    def all(self, project: str | None = None) -> list[StoredFile]:
        """Every file of a project, or of all, newest first."""
        self._forget_expired()
        return [file for file in reversed(self._files.values()) if project in (None, file.project)]

    def stored_bytes(self, project: str | None = None) -> int:
        """What the files of a project, or of all, take up, those included that are on their way."""
        on_their_way = (upload for upload in self._uploads.values() if project in (None, upload.project))
        return sum(file.size_bytes for file in self.all(project)) + sum(
            upload.reserved_bytes for upload in on_their_way
        )

    @property
    def unfinished(self) -> int:
        """How many uploads are on their way."""
        return len(self._uploads)

    def clear(self) -> None:
        """Forget all files and uploads."""
        for upload in list(self._uploads.values()):
            self.drop(upload)
        for file in list(self._files.values()):
            self.delete(file)

    def close(self) -> None:
        """Leave nothing behind but what is to be kept."""
        for upload in list(self._uploads.values()):
            self.drop(upload)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _file_id(self, name: str) -> str:
        if not name:
            return secrets.token_hex(6)
        file_id = name.removeprefix("files/")
        if not _FILE_ID.fullmatch(file_id):
            raise FileNameError(
                "name must have up to 40 characters that are lowercase letters, digits or dashes, and neither begin "
                "nor end with a dash."
            )
        self._forget_expired()
        if file_id in self._files:
            raise NameTakenError(file_id)
        return file_id

    def _forget_expired(self) -> None:
        now = self._clock.time()
        for file in [file for file in self._files.values() if file.expires_at <= now]:
            self.delete(file)

    def _folder(self) -> Path:
        if self._kept_in is not None:
            self._kept_in.mkdir(parents=True, exist_ok=True)
            return self._kept_in
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="gemini-emulator-files-"))
        return self._temporary

    def _description(self, file: StoredFile) -> Path:
        return self._folder() / f"{file.id}.json"

    def _find_again(self, folder: Path) -> None:
        for part in folder.glob("*.part"):
            part.unlink()
        found: list[StoredFile] = []
        for description in folder.glob("*.json"):
            with contextlib.suppress(ValueError, TypeError):
                found.append(StoredFile(**json.loads(description.read_text(encoding="utf-8"))))
        for file in sorted(found, key=lambda file: file.created_at):
            if self.path(file).is_file():
                self._files[file.id] = file


class FinishedUploads:
    """Which files came of the last uploads, for a client that did not hear the answer and asks again."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, StoredFile] = OrderedDict()

    def add(self, upload_id: str, file: StoredFile) -> None:
        """An upload is a file now."""
        self._files[upload_id] = file
        while len(self._files) > UPLOADS_AT_ONCE:
            self._files.popitem(last=False)

    def get(self, upload_id: str) -> StoredFile | None:
        """The file of an upload, if it is one of the last."""
        return self._files.get(upload_id)

    def clear(self) -> None:
        """Forget them."""
        self._files.clear()
