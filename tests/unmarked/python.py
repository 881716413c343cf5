"""Finds words for people in Python that are not marked for translation, or where nobody finds that they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

MARKS = {
    name + lazy for name in ("gettext", "ngettext", "pgettext", "npgettext", "_") for lazy in ("", "_lazy", "_noop")
}
TELLING = {
    *("success", "info", "warning", "error"),  # of `messages`
    *("tell_error", "add_error", "_refuse", "_refused", "_done"),
    *("ValidationError", "Refused", "NotAttached", "OverLimit", "NotTaken", "Unanswerable"),
    *("Wording", "Field", "Group", "Option", "group", "HttpResponse"),
}
"""Calls that are given words, by their names."""

NAMED = {"label", "help_text", "placeholder", "error", "required", "max_length", "invalid", "invalid_choice"}
"""Of arguments, attributes and keys that are words."""

FOR_PROGRAMS = re.compile(r"protocol\.\w+|bad_\w+|no_json|too_large|forged|unknown_\w+")
"""Codes of refusals that only the author of a program sees."""

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
Assigned = dict[str, list[ast.expr]]

_WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]|[A-Z][a-z]+[.…]?\Z")


class Unmarked(NamedTuple):
    line: int
    words: str


def unmarked_in(source: str) -> list[Unmarked]:
    """Words that are told as they stand there, in every language, and marks in f-strings, which nobody reads."""
    tree = ast.parse(source)
    told = [*_told(tree, {}), *_marks_within_strings(tree)]
    return sorted(set(told))


def _told(scope: ast.AST, known: Assigned) -> Iterator[Unmarked]:
    """By a module, a class or a function, and those within. `known`: what names stand for outside of it."""
    assigned = known | _assigned(scope)
    for node in _nodes_of(scope):
        if isinstance(node, SCOPES):
            yield from _told(node, assigned)
        for value in _said_by(node):
            yield from _words_in(value, assigned)


def _nodes_of(scope: ast.AST) -> Iterator[ast.AST]:
    """Without what is within the scopes in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, SCOPES):
            yield from _nodes_of(child)


def _said_by(node: ast.AST) -> Iterator[ast.expr]:
    """The values of a node that are for people."""
    if isinstance(node, ast.Call) and _is_telling(node):
        yield from (*node.args, *(keyword.value for keyword in node.keywords))
    elif isinstance(node, ast.keyword) and node.arg in NAMED:
        yield node.value
    elif isinstance(node, ast.Dict):
        named = zip(node.keys, node.values, strict=True)
        yield from (value for key, value in named if isinstance(key, ast.Constant) and key.value in NAMED)
    elif isinstance(node, ast.Assign) and any(getattr(target, "attr", "") in NAMED for target in node.targets):
        yield node.value


def _is_telling(call: ast.Call) -> bool:
    if _name_of(call.func) not in TELLING or _is_of(call.func, "logger") or _is_of(call.func, "_logger"):
        return False
    texts = (one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return not any(FOR_PROGRAMS.fullmatch(text) for text in texts)


def _words_in(value: ast.expr, assigned: Assigned) -> Iterator[Unmarked]:
    """Also those of a name that stands for them; whatever is given to another call is that call's."""
    if isinstance(value, ast.Call):
        if _name_of(value.func) == "format_lazy":
            for one in value.args[:1]:
                yield from _words_in(one, assigned)
    elif isinstance(value, ast.Name):
        for one in assigned.get(value.id, []):
            yield from _words_in(one, {})
    elif isinstance(value, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in value.values)
        if _WORDS.search(text.replace("{}", "")):
            yield Unmarked(value.lineno, text)
    elif isinstance(value, ast.Constant):
        if isinstance(value.value, str) and _WORDS.search(value.value):
            yield Unmarked(value.lineno, value.value)
    elif isinstance(value, ast.Dict):
        for one in value.values:
            yield from _words_in(one, assigned)
    elif isinstance(value, ast.BinOp):
        yield from _words_in(value.left, assigned)
    elif not isinstance(value, ast.Lambda | ast.Attribute | ast.Compare):
        for child in ast.iter_child_nodes(value):
            if isinstance(child, ast.expr):
                yield from _words_in(child, assigned)


def _marks_within_strings(tree: ast.AST) -> Iterator[Unmarked]:
    """Before Python 3.12 an f-string is one word to whoever looks for marks, and one that is marked has no words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            marks = (one for one in ast.walk(node) if isinstance(one, ast.Call) and _name_of(one.func) in MARKS)
            yield from (Unmarked(one.lineno, ast.unparse(one)) for one in marks)
        elif isinstance(node, ast.Call) and _name_of(node.func) in MARKS:
            strings = (one for one in node.args if isinstance(one, ast.JoinedStr))
            yield from (Unmarked(one.lineno, ast.unparse(one)) for one in strings)


def _assigned(scope: ast.AST) -> Assigned:
    found: Assigned = {}
    for node in _nodes_of(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _name_of(function: ast.expr) -> str:
    return str(getattr(function, "id", getattr(function, "attr", "")))


def _is_of(function: ast.expr, name: str) -> bool:
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == name
