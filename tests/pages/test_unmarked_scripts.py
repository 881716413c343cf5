"""All that scripts say to people is marked for translation; see `docs/decisions/languages.md`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unmarked.scripts import unmarked_in

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"

SAME_EVERYWHERE = {
    "audio/microphone.js": {"No sound: ${}": "an exception; the page says it by its reason"},
    "helpers/fetch_document.js": {"Accept": "a header"},
    "helpers/gettext.js": {"gettext(text": "the function itself"},
    "helpers/storage.js": {"${} from ${}": "what the browser keeps"},
    "recordings/file_upload.js": {"bytes ${}-${}/${}": "a header"},
    "session/strip.js": {"M0 ${}${}H100": "a line to draw"},
    "ui/drop_zone.js": {"Files": "a kind of what is dragged"},
    "ui/transcript_view.js": {"Holdline": "a name"},
}
"""By file, what looks like words for people, and why it is not translated."""


@pytest.mark.parametrize("file", sorted(SCRIPTS.rglob("*.js")), ids=lambda file: file.name)
def test_what_a_script_says_to_people_is_marked(file: Path) -> None:
    allowed = SAME_EVERYWHERE.get(file.relative_to(SCRIPTS).as_posix(), {})
    assert [one for one in unmarked_in(file.read_text(encoding="utf-8")) if one.text not in allowed] == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('show("The line is back");', [(1, "The line is back")]),
        ('\nconst GONE = "gone for good.";', [(2, "gone for good.")]),
        ('setText(word, isOpen ? "Close" : other);', [(1, "Close")]),
        ("setText(word, `${count} minutes left`);", [(1, "${} minutes left")]),
        ("setText(word, `about ${count}`);", [(1, "about ${}")]),
        (
            "setText(word, `${isOpen ? `The ${noun}` : 'It'} is there.`);",
            [(1, "${} is there."), (1, "The ${}"), (1, "It")],
        ),
        ('const odd = /["`]/.test(text) ? "Not that" : 4 / 2;', [(1, "Not that")]),
        ('throw late ? new Error("It is too late") : show("It is too late");', [(1, "It is too late")]),
    ],
)
def test_words_for_people_are_found(script: str, found: list[tuple[int, str]]) -> None:
    assert unmarked_in(script) == found


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("setText(word, `${gettext('code')}.`);", "gettext('code'"),
        ("setText(word, gettext(words));", "gettext(words"),
        ("setText(word, gettext(`It is there.`));", "gettext(`It is there.`"),
    ],
)
def test_a_mark_that_nobody_would_find_is_found_here(script: str, found: str) -> None:
    assert unmarked_in(script) == [(1, found)]


@pytest.mark.parametrize(
    "script",
    [
        'show(gettext("The line is back"));',
        'show(interpolate(ngettext("%(count)s minute", "%(count)s minutes", count), { count }));',
        'show(pgettext("switch", "On"));',
        'console.warn("The line is gone");',
        'throw new MicrophoneError("No sound at all");',
        'const box = root.querySelector("A [data-box]");',
        '// It is "The line is back".',
        '/* A comment:\n "The line is back" */',
        'if (event.key === "Escape") close();',
        "const id = `${kind}-${number}`;",
        'node.className = "button button--small";',
    ],
)
def test_marked_words_and_what_nobody_reads_are_left_alone(script: str) -> None:
    assert unmarked_in(script) == []
