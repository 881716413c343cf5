"""Where a long sound is cut into pieces: pure."""

from __future__ import annotations

from array import array

RATE_HZ = 16_000
"""What the provider makes of any sound (https://ai.google.dev/gemini-api/docs/audio)."""

PIECE_S = 600
"""Ten minutes. Asked for a window of a long recording by its times, models write down another one
(google-gemini/cookbook issue 733), and their times run away the longer a sound is (deprecated-generative-ai-js issues
269 and 426, generative-ai issue 753); what they write in one answer is bounded, too. So the sound itself is cut."""

SEARCHED_S = 15
"""At the end of a piece, where it is quietest, so that no word is cut in two."""

MOST_S = 3 * 3600
"""What is beyond is not listened to."""

_WINDOW_SAMPLES = RATE_HZ // 5


def cut_of(samples: array[int]) -> int:
    """After how many of these samples a piece ends: the middle of the quietest fifth of a second of its last seconds.

    Args:
        samples: a whole piece and no more, of the type "h".
    """
    first = max(0, len(samples) - SEARCHED_S * RATE_HZ)
    starts = range(first, len(samples) - _WINDOW_SAMPLES + 1, _WINDOW_SAMPLES)
    if not starts:
        return len(samples)
    quietest = min(starts, key=lambda start: sum(map(abs, samples[start : start + _WINDOW_SAMPLES])))
    return quietest + _WINDOW_SAMPLES // 2
