"""What is found in a template is what Django looks up when it shows it."""

from __future__ import annotations

import pytest
from django.template import engines
from django.utils import translation

from config.translations.extraction import of_template

MARKED = [
    ('{% translate "Log out" %}', "Log out"),
    ('{% translate "100% kept" %}', "100%% kept"),
    ("{% blocktranslate trimmed %}\n  One line,\n  and another.\n{% endblocktranslate %}", "One line, and another."),
    ("{% blocktranslate with name=user %}Of {{ name }}, 5 %{% endblocktranslate %}", "Of %(name)s, 5 %%"),
    (
        "{% blocktranslate count n=2 %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}",
        ("%(n)s day", "%(n)s days"),
    ),
    ('{% if 1 %}{% translate "Inside" %}{% endif %}', "Inside"),
    ('{% with label=_("Captions") %}{{ label }}{% endwith %}', "Captions"),
    ('{{ nothing|default:_("None yet") }}', "None yet"),
]


@pytest.mark.parametrize(("source", "id"), MARKED)
def test_what_is_marked_is_found(source: str, id: str | tuple[str, str]) -> None:
    (found,) = of_template("{% load i18n %}" + source, "page.html")
    assert (found.id, found.file) == (id, "page.html")


@pytest.mark.parametrize(("source", "id"), MARKED)
def test_what_is_found_is_what_is_looked_up(
    source: str, id: str | tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | tuple[str, str]] = []
    plain = translation.gettext

    def look_up(message: str) -> str:
        asked.append(message)
        return plain(message)

    def look_up_plural(singular: str, plural: str, number: int) -> str:
        asked.append((singular, plural))
        return singular if number == 1 else plural

    monkeypatch.setattr(translation, "gettext", look_up)
    monkeypatch.setattr(translation, "ngettext", look_up_plural)
    monkeypatch.setattr("django.template.base.gettext_lazy", look_up, raising=False)
    engines["django"].from_string("{% load i18n %}" + source).render({"user": "Ada"})
    assert id in asked


def test_a_context_keeps_two_meanings_of_a_word_apart() -> None:
    (found,) = of_template('{% load i18n %}{% translate "Back" context "of a text" %}', "page.html")
    assert (found.id, found.context) == ("Back", "of a text")
