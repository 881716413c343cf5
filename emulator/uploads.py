"""One file on its way: pieces that follow each other, written to disk and hashed as they come."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


class UploadError(ValueError):
    """A piece that does not fit; its text says why. The upload goes on from `received_bytes`."""


class UploadOverError(ValueError):
    """An upload that can be no file; its text says why."""


@dataclass
class Upload:
    """A file on its way to `path`. `id` is the secret in its address, `file_id` the name that it will have.

    `declared_bytes` is None where nobody said how large it will be; `most_bytes` is the end in any case.
    """

    id: str
    project: str
    file_id: str
    display_name: str
    mime_type: str
    declared_bytes: int | None
    most_bytes: int
    path: Path
    received_bytes: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _is_receiving: bool = False

    @property
    def sha256_hex(self) -> str:
        """The digest of what was received."""
        return self._hash.hexdigest()

    @property
    def reserved_bytes(self) -> int:
        """What it takes of the storage."""
        return self.received_bytes if self.declared_bytes is None else self.declared_bytes

    @contextmanager
    def piece(self, offset: int) -> Iterator[BinaryIO]:
        """Begin a piece; raises `UploadError` for one that does not begin where the last one ended."""
        if self._is_receiving or offset != self.received_bytes:
            raise UploadError(f"Expected offset {self.received_bytes}, not {offset}.")
        self._is_receiving = True
        try:
            with self.path.open("ab", buffering=0) as file:
                yield file
        finally:
            self._is_receiving = False

    def write(self, file: BinaryIO, data: bytes) -> None:
        """Add to the piece that was begun; raises `UploadOverError` for more than there should be."""
        size = self.received_bytes + len(data)
        if size > (self.most_bytes if self.declared_bytes is None else self.declared_bytes):
            raise UploadOverError("The file is larger than it was declared, or than it may be.")
        file.write(data)
        self._hash.update(data)
        self.received_bytes = size

    def check_complete(self) -> None:
        """Raise `UploadOverError` unless this is a file, and as large as it was to be."""
        if self.declared_bytes is not None and self.received_bytes != self.declared_bytes:
            raise UploadOverError(
                f"The file has {self.received_bytes} bytes where {self.declared_bytes} bytes were declared."
            )
        if not self.received_bytes:
            raise UploadOverError("The file is empty.")
