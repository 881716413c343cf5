"""What a refusal calls an ephemeral token.

Nobody has published what the service says of one that it does not take (searched in November 2026), so the words are
wide: its own names for such tokens anywhere, and where it was dialled with one, any word about a token that is over.
A model's tokens, which are counted, and resumption tokens, which are handles, are something else.
"""

from __future__ import annotations

import re

_NAMED = re.compile(r"ephemeral[ _-]?(auth[ _-]?)?token|auth(entication|orization)?[ _-]?tokens?\b")
_OVER = re.compile(
    r"\btoken\b.{0,40}\b(expired|used|invalid|not valid|not yet valid|revoked|exhausted|mismatch|not allow\w*|lock\w*"
    r"|constrain\w*)\b"
    r"|\b(expired|invalid|used|unknown) (access )?token\b"
    r"|\baccess[ _]token\b"
    r"|\bnew_?session_?expire_?time\b"
)
_SOMETHING_ELSE = re.compile(
    r"resumption[ _]?token|token (count|limit)|tokens? per|(number|maximum|input|output) (of )?tokens?"
)


def is_about_token(text: str, was_dialled_with_one: bool) -> bool:
    """Whether a refusal, in small letters, is about the ephemeral token."""
    if _SOMETHING_ELSE.search(text):
        return False
    return bool(_NAMED.search(text) or (was_dialled_with_one and _OVER.search(text)))
