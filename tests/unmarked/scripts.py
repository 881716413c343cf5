"""Finds what looks like words for people in a script and is not marked for translation, or where nobody finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MARKS = ("gettext", "ngettext", "pgettext", "npgettext")

_FOR_NOBODY = re.compile(r"(?:.*\.)?(?:querySelector(?:All)?|closest|matches)|find|console\.\w+|\w*Error")
"""Calls whose words no user reads: selectors, logs, exceptions."""

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_$\#][\w$]*(?:\.[A-Za-z_$\#][\w$]*)*)
    |(?P<number>\d[\w.]*)
    |(?P<sign>===|!==|=>|\S)""",
    re.VERBOSE | re.DOTALL,
)
_PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
_BEFORE_A_PATTERN = ("return", "case", "typeof")

_SENTENCE = re.compile(r"[A-Z“][^{}<>=]*\s\S|.*[a-z]{2}[.?!…]$", re.DOTALL)
_ONE_WORD = re.compile(r"[A-Z][a-z]+")
_PIECE = re.compile(r"\$\{\} [a-z]{3,}\b|\b[a-z]{2,} \$\{\}")
"""Of something put together: ` minutes left` behind a value, or `about ` before one."""

_COMPARED = ("===", "!==", "case")


class Unmarked(NamedTuple):
    """`text`: with `${}` for what is put into it."""

    line: int
    text: str


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_START = _Token("sign", "", 0)


def unmarked_in(source: str) -> list[Unmarked]:
    """Strings and templates that look like words for people and stand in no call that translates them; and such calls
    within templates, and with anything else than a string, where nobody looks for words to be translated."""
    return list(_found(source, 1, (), is_in_template=False))


def _found(source: str, line: int, around: tuple[str, ...], is_in_template: bool) -> Iterator[Unmarked]:
    calls, before, called = list(around), _START, _START
    for token in _tokens(source, line):
        if before.text == "(" and called.text in MARKS and (is_in_template or token.kind != "string"):
            yield Unmarked(token.line, f"{called.text}({token.text}")
        if token.text == "(":
            called = before if before.kind == "name" else _START
            calls.append(called.text)
        elif token.text == ")" and len(calls) > len(around):
            calls.pop()
        elif token.kind == "string" and before.text not in _COMPARED and not _is_said_to_nobody(calls):
            if _is_for_people(token.text[1:-1]):
                yield Unmarked(token.line, token.text[1:-1])
        elif token.kind == "template":
            yield from _found_in_template(token, tuple(calls))
        before = token


def _found_in_template(token: _Token, calls: tuple[str, ...]) -> Iterator[Unmarked]:
    text, holes = _taken_apart(token.text[1:-1])
    if not _is_said_to_nobody(calls) and (_is_for_people(text) or _PIECE.search(text)):
        yield Unmarked(token.line, text)
    for hole in holes:
        yield from _found(hole, token.line, calls, is_in_template=True)


def _is_said_to_nobody(calls: list[str] | tuple[str, ...]) -> bool:
    return any(call in MARKS or _FOR_NOBODY.fullmatch(call) for call in calls)


def _is_for_people(text: str) -> bool:
    return bool(_SENTENCE.match(text) or _ONE_WORD.fullmatch(text))


def _tokens(source: str, line: int) -> Iterator[_Token]:
    """As far as they matter here, without comments. `line`: of the first."""
    place, before = 0, _START
    while match := _TOKEN.search(source, place):
        kind, text = str(match.lastgroup), match.group()
        if text == "`":
            kind, text = "template", source[match.start() : _end_of_template(source, match.end())]
        elif text == "/" and not _is_value(before) and (pattern := _PATTERN.match(source, match.start())):
            kind, text = "pattern", pattern.group()
        place = match.start() + len(text)
        if kind != "comment":
            before = _Token(kind, text, line + source.count("\n", 0, match.start()))
            yield before


def _is_value(token: _Token) -> bool:
    """Whether what follows it with a stroke is divided, and no pattern."""
    return token.text in (")", "]", "}") or (token.kind != "sign" and token.text not in _BEFORE_A_PATTERN)


def _end_of_template(source: str, place: int) -> int:
    while place < len(source) and source[place] != "`":
        if source[place] == "\\":
            place += 2
        elif source.startswith("${", place):
            place = _end_of_hole(source, place + 2) + 1
        else:
            place += 1
    return place + 1


def _end_of_hole(source: str, place: int) -> int:
    depth = 1
    while place < len(source):
        if source[place] == "`":
            place = _end_of_template(source, place + 1)
            continue
        depth += {"{": 1, "}": -1}.get(source[place], 0)
        if depth == 0:
            break
        place += 1
    return place


def _taken_apart(template: str) -> tuple[str, list[str]]:
    """Its words with `${}` for what is put into it, and the expressions in those places."""
    words, holes, place = "", [], 0
    while (start := template.find("${", place)) >= 0:
        end = _end_of_hole(template, start + 2)
        words += template[place:start] + "${}"
        holes.append(template[start + 2 : end])
        place = end + 1
    return words + template[place:], holes
