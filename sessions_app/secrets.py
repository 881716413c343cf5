"""Encryption of resumption handles at rest."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def encrypt(handle: str) -> bytes:
    """Encrypt with the first of HANDLE_FERNET_KEYS."""
    return _keys().encrypt(handle.encode())


def decrypt(ciphertext: bytes | memoryview) -> str | None:
    """Decrypt with whichever key fits; None when none does any more, as after the keys were replaced."""
    try:
        return _keys().decrypt(bytes(ciphertext)).decode()
    except InvalidToken:
        return None


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.HANDLE_FERNET_KEYS])
