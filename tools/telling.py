"""What people are told, and how a command ends when it cannot go on."""

import errno

HINTS = {
    errno.ENOSPC: "The disk is full: make room and run it again; nothing is lost.",
    errno.EDQUOT: "Your share of the disk is used up: make room and run it again; nothing is lost.",
    errno.EACCES: "This user may not write there: put the checkout into a folder of your own, or change its owner.",
    errno.EPERM: "This user may not write there: put the checkout into a folder of your own, or change its owner.",
    errno.EROFS: "It is on a disk that can only be read: put the checkout where it can be written to.",
}
"""What to do about an error of the system, by its number."""


class Refusal(Exception):
    """Something a person has to put right; its text is the sentence they are told."""


class StopRequested(BaseException):
    """SIGTERM, SIGINT or SIGHUP has arrived."""


def say(text: str = "") -> None:
    print(text, flush=True)


def told(error: OSError) -> Refusal:
    """An error of the system as a sentence with the file it is about and what to do."""
    where = f"{error.filename}: " if error.filename else ""
    reason = error.strerror or str(error) or type(error).__name__
    hint = HINTS.get(error.errno or 0, "")
    return Refusal(f"{where}{reason}.\n{hint}".rstrip())
