"""What Python says to users is marked for translation, and what finds that it is not finds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unmarked.python import unmarked_in

ROOT = Path(__file__).parents[2]
APPS = ("sessions_app", "energy", "summarization")
FOR_OPERATORS = {"migrations", "management", "admin.py", "models.py", "checks.py", "claimable.py"}
ROWS = "rows.py"
"""So end the names of models' files, whose words the admin shows."""

NOT_FOR_USERS = {
    "sessions_app/auth_tokens/callers.py": "what a program that asks for tokens does wrong",
    "sessions_app/auth_tokens/terms.py": "the same of what it asks for",
    "sessions_app/gateway/wire.py": "what the script of a page does wrong",
    "sessions_app/gateway/session_wire.py": "the same of the session page",
    "sessions_app/live/providers/gemini.py": "what a model is told",
    "energy/notices.py": "what is wrong with a notice that an operator has written",
    "summarization/gemini.py": "why there is no summary, as it is kept and logged",
    "summarization/summarizing.py": "the same",
    "summarization/recordings.py": "the same of what is written down of a recording",
}


def files() -> Iterator[str]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if (
                not FOR_OPERATORS & set(path.relative_to(ROOT).parts)
                and name not in NOT_FOR_USERS
                and not name.endswith(ROWS)
            ):
                yield name


def test_all_words_that_python_says_to_users_are_marked() -> None:
    found = {name: unmarked_in((ROOT / name).read_text()) for name in files()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("name", NOT_FOR_USERS)
def test_what_is_left_out_is_there(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('messages.success(request, "Saved it.")', ["Saved it."]),
        ('messages.success(request, _("Saved it."))', []),
        ('messages.success(request, "A" if new else _("Saved."))', []),
        ('messages.info(request, "Saved it." if new else _("Saved."))', ["Saved it."]),
        ('text = "Log in first."\npage.tell_error("auth.login", text)', ["Log in first."]),
        ('page.tell_error("auth.login", f"At most {most} of them.")', ["At most {} of them."]),
        ('page.tell_error("limit", format_lazy("At most {most} of them.", most=1))', ["At most {most} of them."]),
        ('page.tell_error("limit", format_lazy(_("At most {most} of them."), most=1))', []),
        ('raise Refused(_("At most %(most)s.") % {"most": "so many of them"})', []),
        ('raise Refused(400, "bad_request", "Send a name.")', []),
        ('logger.warning("nobody reads this")', []),
        ('forms.CharField(label="Name", help_text=_("What it is for."))', ["Name"]),
        ('field.label = "New password"', ["New password"]),
        ('attrs={"placeholder": "Any words"}', ["Any words"]),
        ('Field("voice", "select", "Voice", _("A word for each."))', ["Voice"]),
        ("""words = f"{_('Saved.')} {more}\"""", ["_('Saved.')"]),
        ('words = _(f"{number} of them")', ["f'{number} of them'"]),
    ],
)
def test_words_are_found_where_they_are_told(source: str, found: list[str]) -> None:
    assert [each.words for each in unmarked_in(source)] == found
