"""The sheet: the views of one scene beside each other, and a page that has them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tests.screenshots.views import View

STYLE = """
body { margin: 16px; background: #888; color: #fff; font: 14px/1.4 sans-serif; width: max-content; max-width: 1500px; }
div { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
figure { margin: 0; } figcaption { margin-bottom: 2px; } img { display: block; }
"""


def pieces_of(height_px: int, piece_px: int) -> list[tuple[int, int]]:
    """From which line of a page each of its pictures is, and how high: a page is shown to its foot, however long."""
    return [(top, min(piece_px, height_px - top)) for top in range(0, max(height_px, 1), piece_px)]


def picture_name(scene: str, view: str, piece: int = 0) -> str:
    """The file of one piece of a page, counted from 0."""
    return f"{scene}.{view}.{piece + 1}.png" if piece else f"{scene}.{view}.png"


def page_of(scenes: Iterable[str], views: Sequence[View], pieces: Mapping[tuple[str, str], int]) -> str:
    """HTML that shows the pictures that lie beside it, scene by scene; `pieces` says of how many pictures one of a
    scene and a view consists (one where it says nothing)."""
    parts = [f"<!doctype html><meta charset=utf-8><title>Screenshots</title><style>{STYLE}</style>"]
    for scene in scenes:
        parts.append(f"<h2>{escape(scene)}</h2><div>")
        for view in views:
            parts += [
                f"<figure><figcaption>{escape(view.name)}{f', piece {piece + 1}' * (piece > 0)}</figcaption>"
                f'<img src="{escape(picture_name(scene, view.name, piece))}" alt="" '
                f'width="{view.width * view.scale:.0f}"></figure>'
                for piece in range(pieces.get((scene, view.name), 1))
            ]
        parts.append("</div>")
    return "\n".join(parts)
