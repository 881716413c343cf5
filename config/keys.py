"""Keys that encrypt resumption handles when the operator names none."""

import base64
from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive_fernet_keys(secrets: Iterable[str]) -> list[str]:
    """A Fernet key for each secret, in the same order.

    Derived rather than used as it is, so that the key of the handles says nothing about the key of the
    sessions (RFC 5869, with a label of its own).
    """
    return [_derive(secret) for secret in secrets]


def _derive(secret: str) -> str:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"holdline: resumption handles")
    return base64.urlsafe_b64encode(kdf.derive(secret.encode())).decode("ascii")
