"""What people are told when an installation fails."""

import errno

import pytest

from tools.install import advice_on
from tools.telling import told


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("  Caused by: failed to write to file: No space left on device (os error 28)", "The disk is full"),
        ("error: failed to create directory: Permission denied (os error 13)", "This user may not write"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "was damaged"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
            "ERROR: Could not find a version that satisfies the requirement aiohttp==3.14.5",
            "offline",
        ),
        ("error: Request failed after 3 retries\n  Caused by: error sending request for url", "offline"),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "offline"),
        ("ERROR: No matching distribution found for pocketsphinx==5.1.1", "no ready-made package"),
        ("hint: Wheels are required for `autobahn` because building from source is disabled\n has no wheels", "3.14"),
    ],
)
def test_a_failure_of_a_known_kind_says_what_to_do(said: str, advice: str) -> None:
    assert advice in (advice_on(said) or "")


def test_a_failure_of_an_unknown_kind_is_left_to_the_installers_words() -> None:
    assert advice_on("ERROR: something nobody has seen") is None


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "make room"), (errno.EACCES, "may not write"), (errno.EROFS, "can only be read")],
)
def test_an_error_of_the_system_is_a_sentence_with_the_file_and_what_to_do(number: int, hint: str) -> None:
    text = str(told(OSError(number, "Reason of the system", "/some/file")))
    assert text.startswith("/some/file: Reason of the system.")
    assert hint in text
