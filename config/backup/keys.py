"""Which keys a backup needs besides it: their fingerprints, by which nobody finds a key that is random."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.conf import settings

from config.keys import derive_fernet_keys
from sessions_app.models import KeptSound, ResumptionHandle
from sessions_app.secrets import decrypt_bytes


def handle_keys() -> tuple[str, ...]:
    """Fingerprints of the keys of the handles; the first encrypts."""
    return tuple(map(_fingerprint, settings.HANDLE_FERNET_KEYS))


def secret_key() -> str:
    """The fingerprint of SECRET_KEY, of a key that is derived from it."""
    return _fingerprint(derive_fernet_keys([settings.SECRET_KEY])[0])


def unreadable_handles() -> tuple[int, int]:
    """How many of the handles and sounds in the database this server's keys cannot read, and how many there are."""
    readable = [decrypt_bytes(ciphertext) is not None for ciphertext in _ciphertexts()]
    return readable.count(False), len(readable)


def _ciphertexts() -> Iterator[bytes | memoryview]:
    for model in (ResumptionHandle, KeptSound):
        yield from model.objects.order_by().values_list("ciphertext", flat=True).iterator()


def _fingerprint(key: str) -> str:
    return hashlib.sha256(b"holdline: fingerprint of a key\0" + key.encode()).hexdigest()[:12]
