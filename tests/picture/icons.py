"""The pictures of Holdline's sign that browsers, phones and others show: `python -m tests.picture.icons` draws them.

They are drawn by Chromium, out of the sign in `static/images/favicon.svg` and the typefaces of the pages.
"""

from __future__ import annotations

import struct
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.chromium import launch

IMAGES = Path("static") / "images"
SIGN = '<path d="M4 20h5c3 0 3.2-1.8 4-4.3C13.8 13 14.4 10 16 10s2.2 3 3 5.7c.8 2.5 1 4.3 4 4.3h5" fill="none" \
stroke="#f2f7f5" stroke-width="2.6" stroke-linecap="round"/><circle cx="16" cy="20" r="3.2" fill="#f4b03f"/>'
FULL = '<rect width="32" height="32" fill="#0f4a4f"/>'
"""To the edge: phones round the corners themselves."""

ROUNDED = '<rect width="32" height="32" rx="8" fill="#0f4a4f"/>'
SAFE = f'<g transform="translate(3.2 2.6) scale(0.8)">{SIGN}</g>'
"""Within the circle that phones leave of a maskable icon (W3C manifest: 40 % of its width around the middle)."""

CARD = """<style>
@font-face { font-family: Familjen; font-weight: 400 700; src: url("FONT"); }
body { margin: 0; width: 1200px; height: 630px; background: #0f4a4f; color: #f2f7f5; font: 600 92px/1.02 Familjen; }
h1 { position: absolute; left: 80px; top: 64px; margin: 0; font: inherit; letter-spacing: -0.03em; width: 11em; }
p { position: absolute; left: 80px; bottom: 48px; margin: 0; font-size: 40px; color: #f4b03f; }
svg { position: absolute; left: 0; bottom: 96px; }
</style><h1>Talk with Gemini, on a line that does not drop.</h1><p>Holdline</p>
<svg width="1200" height="200" viewBox="0 0 1200 200"><path d="M0 176H720c56 0 52-136 104-136s48 136 104 136H1200"
fill="none" stroke="#8fd6d0" stroke-width="7"/><circle cx="824" cy="176" r="17" fill="#f4b03f" stroke="#0f4a4f"
stroke-width="9"/></svg>"""


def main() -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, size, shapes in (
            ("icon-192.png", 192, ROUNDED + SIGN),
            ("icon-512.png", 512, ROUNDED + SIGN),
            ("icon-maskable-512.png", 512, FULL + SAFE),
            ("apple-touch-icon.png", 180, FULL + SAFE),
        ):
            (IMAGES / name).write_bytes(_square(browser, size, shapes))
        (IMAGES / "favicon.ico").write_bytes(ico(_square(browser, 32, ROUNDED + SIGN), 32))
        font = next(Path("static/vendor").glob("familjen-grotesk-*/familjen-grotesk-latin-wght-normal.woff2"))
        card = IMAGES / "card.html"
        card.write_text(CARD.replace("FONT", font.absolute().as_uri()), encoding="utf-8")
        page = browser.new_page(viewport=ViewportSize(width=1200, height=630))
        page.goto(card.absolute().as_uri())
        page.evaluate("document.fonts.ready.then(() => true)")
        page.screenshot(path=IMAGES / "card.png")
        card.unlink()
        browser.close()


def _square(browser: Browser, size: int, shapes: str) -> bytes:
    page = browser.new_page(viewport=ViewportSize(width=size, height=size))
    svg = f'<svg width="{size}" height="{size}" viewBox="0 0 32 32" style="display:block">{shapes}</svg>'
    page.set_content(f"<body style='margin:0;background:transparent'>{svg}")
    drawn = page.screenshot(omit_background=True)
    page.close()
    return drawn


def ico(png: bytes, size: int) -> bytes:
    """An icon file with one picture, which may be a PNG since Windows Vista."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, size, size, 0, 0, 1, 32, len(png), 22) + png


if __name__ == "__main__":
    main()
