"""Captions in time with the voice: which words of a reply have been heard."""

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.modules import run

FRAME_MS = 100
TEXT = (
    "The moon pulls the water of the oceans a little towards it. As the Earth turns, each coast passes through the "
    "bulges this makes, so the water rises and falls about twice a day. Yes. The sun does the same, at a little less "
    "than half the strength, and when both pull in one line the tides are highest."
)

PLAY = """
    const { words, pieces, frames, wholeAt, fromMs } = argument;
    const captions = new m.Captions({ isAloud: true });
    const speech = (start) => Int16Array.from({ length: 2400 }, (_, i) => {
        const ms = start + i / 24;
        return words.some(({ begin, end }) => ms >= begin && ms < end) ? 8000 * Math.sin(i / 5) : 0;
    });
    const starts = [];
    let shown = "", ahead = -Infinity, behind = -Infinity, received = 0, at = 0;
    const letters = words.map(({ upTo }) => m.lettersIn(upTo));
    const text = words.map(({ upTo }) => upTo).at(-1);
    const last = frames * 100;
    const firstSeen = words.map(() => null);
    for (let now = 0; now <= last + 400; now += 20) {
        // Sound comes at three times its pace, as a provider sends it.
        while (received < frames && received * 100 <= fromMs + now * 3) {
            pieces.filter(({ frame }) => frame === received).forEach(({ text }) => captions.text({ turn: 1, text }));
            captions.sound(speech(received * 100), received);
            received += 1;
            if (received === frames) {
                pieces.filter(({ frame }) => frame >= frames).forEach(({ text }) => captions.text({ turn: 1, text }));
                captions.whole();
            }
        }
        const played = Math.min(now, received * 100 - 1);
        captions.played({ number: Math.floor(played / 100), ms: played % 100 });
        const heard = captions.heardOf(1);
        words.forEach((word, index) => {
            const beginsWith = index === 0 ? 1 : letters[index - 1] + 1;
            if (firstSeen[index] === null && heard >= beginsWith) firstSeen[index] = now;
        });
    }
    return firstSeen.map((seen, index) => seen === null ? null : words[index].begin - seen);
"""


def spoken(seed: int) -> list[dict[str, Any]]:
    """When each word is spoken: some slower and some faster, with a pause after each comma and a longer one after a
    sentence."""
    chance = random.Random(seed)
    words, at, upto = [], 60.0, ""
    for word in TEXT.split():
        upto = f"{upto} {word}".strip()
        length = 55 * len(word.strip(".,")) * chance.uniform(0.8, 1.2) + 40
        words.append({"begin": at, "end": at + length, "upTo": upto})
        at += length + {".": 600, ",": 250}.get(word[-1], 0)
    return words


def pieces(words: list[dict[str, Any]], order: str, frames: int) -> list[dict[str, Any]]:
    """When the transcript comes, by the frame of sound before which each piece is sent."""
    if order == "before":
        return [{"frame": 0, "text": TEXT}]
    if order == "after":
        return [{"frame": frames, "text": TEXT}]
    lead = {"with": 0, "ahead": -800, "behind": 800}[order]
    return [{"frame": max(0, int((word["begin"] + lead) // FRAME_MS)), "text": word["upTo"]} for word in words]


@pytest.mark.parametrize("order", ["with", "ahead", "behind", "before", "after"])
@pytest.mark.parametrize("seed", range(3))
def test_no_word_is_black_more_than_300_ms_before_it_is_heard(modules: Page, order: str, seed: int) -> None:
    words = spoken(seed)
    frames = int(words[-1]["end"] // FRAME_MS) + 1
    said = {"words": words, "pieces": pieces(words, order, frames), "frames": frames, "fromMs": 300}
    ahead = run(modules, "session/captions.js", PLAY, said)
    assert None not in ahead
    assert max(ahead) <= 300
    assert order == "after" or min(ahead) >= -1000


@pytest.mark.parametrize(
    ("is_aloud", "after", "heard"),
    [
        (True, "", 0),
        (False, "", None),
        (True, "captions.whole();", None),
        (True, "captions.over();", None),
        (True, "captions.over(); captions.text({ turn: 2, text: 'More' });", None),
    ],
    ids=["awaited", "read", "whole", "over", "another"],
)
def test_a_reply_without_sound_is_grey_only_while_its_sound_is_awaited(
    modules: Page, is_aloud: bool, after: str, heard: int | None
) -> None:
    body = f"""
        const captions = new m.Captions({{ isAloud: argument }});
        captions.text({{ turn: 1, text: "Words" }}); {after}
        return captions.heardOf(1);
    """
    assert run(modules, "session/captions.js", body, is_aloud) == heard


@pytest.mark.parametrize(
    ("letters", "heard"), [(0, ""), (1, "One,"), (3, "One,"), (4, "One, **two**"), (99, "One, **two** three.")]
)
def test_a_word_is_heard_from_its_first_letter_on_with_the_mark_behind_it(
    modules: Page, letters: int, heard: str
) -> None:
    body = "const [text, letters] = argument; return text.slice(0, m.endAfter(text, letters));"
    assert run(modules, "session/captions.js", body, ["One, **two** three.", letters]) == heard


def test_in_a_script_without_blanks_a_word_is_heard_up_to_its_letter(modules: Page) -> None:
    body = "return m.endAfter('月は海の水を少しだけ引き寄せるので潮は一日に二度ほど満ちて引きます。', 4);"
    assert run(modules, "session/captions.js", body) == 4
