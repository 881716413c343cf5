"""How a page is looked at: the sizes, lights and letters of the sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class View:
    """`width` and `height` in CSS pixels; `theme` is that of the device; `text_percent`: the browser's size of letters;
    `scale`: how large it is shown on the sheet."""

    name: str
    width: int
    height: int
    theme: str = "light"
    text_percent: int = 100
    scale: float = 1.0

    def context_options(self) -> dict[str, Any]:
        """Playwright's, for a browser context that looks like this."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": self.theme,
            "reduced_motion": "reduce",
            "timezone_id": "Europe/Berlin",
        }


VIEWS = (
    View("phone-light", 360, 740),
    View("phone-dark", 360, 740, theme="dark"),
    View("large-letters", 360, 740, text_percent=200, scale=0.75),
    View("landscape", 740, 360, scale=0.5),
    View("desk-light", 1440, 900, scale=0.5),
    View("desk-dark", 1440, 900, theme="dark", scale=0.5),
)
