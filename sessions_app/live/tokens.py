"""About how many tokens a text takes: pure."""

from __future__ import annotations

_ASCII_CHARACTERS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """An estimate for any script: four characters of ASCII make a token, any other character is one.

    "For Gemini models, a token is equivalent to about 4 characters" (https://ai.google.dev/gemini-api/docs/tokens, read
    on 26 November 2026) is meant of English. Beyond ASCII Google's own estimate is 1.3 tokens for each character, which
    it calls conservative (google-gemini/gemini-cli, `tokenCalculation.ts`); one is nearer to the middle, which counts
    where an estimate is compared with the provider's figure.
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    return -(-ascii_characters // _ASCII_CHARACTERS_PER_TOKEN) + len(text) - ascii_characters
