"""Finds the words that are marked for translation, in Python, in templates and in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from django.template import Template, engines
from django.template.base import Lexer, Node, TokenType
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.text import unescape_string_literal

from energy.notices import delivered_personas

BASE = Path(__file__).resolve().parent.parent.parent
OF_SERVER = ("config", "sessions_app", "energy", "summarization")
TEMPLATES, SCRIPTS = "templates", "static/js"
NOTICES = "energy/notices.json"

_KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    name + lazy: arguments
    for lazy in ("", "_lazy")
    for name, arguments in {
        "gettext": None,
        "_": None,
        "gettext_noop": None,
        "ngettext": (1, 2),
        "pgettext": ((1, "c"), 2),
        "npgettext": ((1, "c"), 2, 3),
    }.items()
}
OneNode = TypeVar("OneNode", bound=Node)
_IN_A_TAG = re.compile(r"""_\(("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")


class Found(NamedTuple):
    """`id`: with its plural if it has one. `file`: from the project's folder on."""

    id: str | tuple[str, str]
    file: str
    context: str | None
    comments: tuple[str, ...]


def catalogue_of(domain: str) -> Catalog:
    """All marked words of a domain, `django` or `djangojs`, without translations, in the order of files."""
    found = list(_of_scripts() if domain == "djangojs" else _of_the_server())
    catalogue = Catalog(project="Holdline", charset="utf-8", fuzzy=False)
    for one in found:
        flags = ["python-format"] if domain == "django" and "%(" in str(one.id) else []
        catalogue.add(one.id, None, [(one.file, 0)], flags, one.comments, context=one.context)
    return catalogue


def _of_the_server() -> Iterator[Found]:
    for folder in OF_SERVER:
        for file in sorted((BASE / folder).rglob("*.py")):
            yield from _extracted(file, "python")
    for file in sorted((BASE / TEMPLATES).rglob("*.*")):
        if file.suffix in (".html", ".txt"):
            yield from of_template(file.read_text(), str(file.relative_to(BASE)))
    for _, texts in delivered_personas().values():
        yield from (Found(text, NOTICES, None, ()) for text in texts.values())


def _of_scripts() -> Iterator[Found]:
    for file in sorted((BASE / SCRIPTS).rglob("*.js")):
        yield from _extracted(file, "javascript")


def _extracted(file: Path, method: str) -> Iterator[Found]:
    name = str(file.relative_to(BASE))
    for _, words, comments, context in extract_from_file(
        method, file, keywords=_KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        yield Found(words if isinstance(words, str) else (words[0], words[1]), name, context, tuple(comments))


def of_template(source: str, name: str) -> Iterator[Found]:
    """The marked words of one template, as Django itself would look them up."""
    template: Template = engines["django"].from_string(source).template  # type: ignore[attr-defined]
    for node in _nodes(template, TranslateNode):
        context = node.message_context.var if node.message_context else None
        if node.filter_expression.var.literal is not None:  # else it is a variable, which is marked where it is made
            yield Found(str(node.filter_expression.var.literal).replace("%", "%%"), name, context, ())
    for block in _nodes(template, BlockTranslateNode):
        context = block.message_context.var if block.message_context else None
        yield Found(_of_block(block), name, context, ())
    for token in Lexer(source).tokenize():
        if token.token_type in (TokenType.BLOCK, TokenType.VAR):
            for quoted in _IN_A_TAG.findall(token.contents):
                yield Found(unescape_string_literal(quoted).replace("%", "%%"), name, None, ())


def _nodes(template: Template, kind: type[OneNode]) -> Iterator[OneNode]:
    return (node for node in template.nodelist.get_nodes_by_type(kind) if isinstance(node, kind))


def _of_block(node: BlockTranslateNode) -> str | tuple[str, str]:
    singular = node.render_token_list(node.singular)[0]
    return (singular, node.render_token_list(node.plural)[0]) if node.plural else singular
