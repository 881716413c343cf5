"""Finds words in templates that are not marked for translation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from django.template.base import Lexer, Token, TokenType

SAID_BY_ATTRIBUTES = {"aria-label", "title", "placeholder", "alt", "aria-description", "aria-roledescription"}
SAID_BY_META = {"description", "og:title", "og:description", "og:image:alt"}
BUTTONS = {"submit", "button", "reset"}

BLOCKS_OF_ATTRIBUTES = {"main_class", "root_attributes", "page_attributes", "back", "cancel"}
"""Blocks that stand within a tag where they are defined: what fills them in another template is no text."""

NAMES = {
    "Holdline": "ours",
    "Gemini": "Google's",
    "Google": "a company",
    "UTC": "the same everywhere",
    "M": "a key",
    "H": "a key",
    "Authorization: Bearer …": "what a program sends",
}
"""What is the same in all languages, and why."""

_NAMES = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True))) + r")(?!\w)")
_LETTER = re.compile(r"[^\W\d_]")
_QUOTED = re.compile(r"""(?<!_\()(?:"([^"]*)"|'([^']*)')""")
_WORDS = re.compile(r"[^\W\d_]+ +[^\W\d_]|^[A-Z][a-z]")
_FORMAT = re.compile(r"""\|(?:date|time):(?:"[^"]*"|'[^']*')""")
_TRANSLATING = re.compile(r"(?:block)?trans(?:late)?\b")
_VALUE = "\ue000"
"""Stands for what the template fills in: neither a letter nor a blank."""


class Unmarked(NamedTuple):
    line: int
    words: str


def unmarked_in(source: str) -> list[Unmarked]:
    """All words of a template that are said as they stand there, in every language."""
    html = _Texts()
    found = []
    for token in _outside_of_translations(Lexer(source).tokenize()):
        if token.token_type is TokenType.TEXT:
            html.feed_at(token.lineno or 1, token.contents)
        elif token.token_type in (TokenType.VAR, TokenType.BLOCK):
            found += [Unmarked(token.lineno or 1, words) for words in _said_by(token)]
            if token.token_type is TokenType.VAR:
                html.feed_at(token.lineno or 1, _VALUE)
    html.close()
    return sorted([*html.found, *found])


def _outside_of_translations(tokens: list[Token]) -> Iterator[Token]:
    until = ""
    for token in tokens:
        name = token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK else ""
        if until:
            until = "" if name in (until, "endblock") else until
        elif name in ("blocktranslate", "blocktrans", "comment"):
            until = f"end{name}"
        elif name == "block" and token.split_contents()[1] in BLOCKS_OF_ATTRIBUTES:
            until = "endblock"
        elif not _TRANSLATING.match(name):
            yield token


def _said_by(token: Token) -> Iterator[str]:
    """Words among the arguments of a tag or a filter, and plurals that other languages form in another way."""
    for match in _QUOTED.finditer(_FORMAT.sub("", token.contents)):
        words = match[1] or match[2] or ""
        if _WORDS.search(words) and not _is_a_name(words):
            yield words
    if "|pluralize" in token.contents:
        yield token.contents


def _is_a_name(words: str) -> bool:
    return not _LETTER.search(_NAMES.sub("", words))


class _Texts(HTMLParser):
    """What a page says: its texts, and those of its attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Unmarked] = []
        self._lines: list[int] = []
        self._source = ""

    def feed_at(self, line: int, text: str) -> None:
        """Keeps from which line of the template each of the lines comes that the parser counts."""
        if not self._lines:
            self._lines.append(line)
        self._lines += range(line + 1, line + 1 + text.count("\n"))
        names_an_element = text == _VALUE and self._source.endswith(("<", "</"))
        self._source += "div" if names_an_element else text

    def close(self) -> None:
        self.feed(self._source)
        super().close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        said = [attributes.get(name, "") for name in SAID_BY_ATTRIBUTES]
        if tag == "input" and attributes.get("type") in BUTTONS:
            said.append(attributes.get("value", ""))
        if tag == "meta" and {attributes.get("name"), attributes.get("property")} & SAID_BY_META:
            said.append(attributes.get("content", ""))
        for words in said:
            self._note(words)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem not in ("script", "style"):
            self._note(data)

    def _note(self, words: str) -> None:
        if not _is_a_name(words):
            above = words[: len(words) - len(words.lstrip())].count("\n")
            line = self._lines[self.getpos()[0] - 1 + above]
            self.found.append(Unmarked(line, " ".join(words.replace(_VALUE, "…").split())))
