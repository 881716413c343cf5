"""Encryption at rest: of resumption handles, and of sound."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def encrypt(handle: str) -> bytes:
    """Encrypt with the first of HANDLE_FERNET_KEYS."""
    return encrypt_bytes(handle.encode())


def decrypt(ciphertext: bytes | memoryview) -> str | None:
    """Decrypt with whichever key fits; None when none does any more, as after the keys were replaced."""
    plain = decrypt_bytes(ciphertext)
    return None if plain is None else plain.decode()


def encrypt_bytes(plain: bytes) -> bytes:
    """As `encrypt`."""
    return _keys().encrypt(plain)


def decrypt_bytes(ciphertext: bytes | memoryview) -> bytes | None:
    """As `decrypt`."""
    try:
        return _keys().decrypt(bytes(ciphertext))
    except InvalidToken:
        return None


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.HANDLE_FERNET_KEYS])
