"""The sheet: the views of one scene beside each other, and a page that has them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from tests.screenshots.views import View

STYLE = """
body { margin: 16px; background: #888; color: #fff; font: 14px/1.4 sans-serif; width: max-content; max-width: 1500px; }
div { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
figure { margin: 0; } figcaption { margin-bottom: 2px; } img { display: block; }
"""


def page_of(scenes: Iterable[str], views: Sequence[View]) -> str:
    """HTML that shows the pictures `SCENE.VIEW.png` beside it, scene by scene."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Screenshots</title><style>{STYLE}</style>"]
    for scene in scenes:
        parts.append(f"<h2>{escape(scene)}</h2><div>")
        parts += [
            f'<figure><figcaption>{escape(view.name)}</figcaption><img src="{escape(scene)}.{escape(view.name)}.png" '
            f'alt="" width="{view.width * view.scale:.0f}"></figure>'
            for view in views
        ]
        parts.append("</div>")
    return "\n".join(parts)
