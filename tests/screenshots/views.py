"""How a page is looked at: the sizes, lights and letters of the sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.translations.catalogues import PSEUDO_LANGUAGE


@dataclass(frozen=True, slots=True)
class View:
    """`width` and `height` in CSS pixels; `theme` and `language` are those of the device; `text_percent`: the browser's
    size of letters; `scale`: how large it is shown on the sheet."""

    name: str
    width: int
    height: int
    theme: str = "light"
    language: str = "en"
    text_percent: int = 100
    scale: float = 1.0

    def context_options(self) -> dict[str, Any]:
        """Playwright's, for a browser context that looks like this."""
        return {
            "viewport": {"width": self.width, "height": self.height},
            "color_scheme": self.theme,
            "reduced_motion": "reduce",
            "locale": self.language,
            "timezone_id": "Europe/Berlin",
        }


VIEWS = (
    View("phone-light", 360, 740),
    View("phone-dark", 360, 740, theme="dark"),
    View("large-letters", 360, 740, text_percent=200, scale=0.75),
    View("landscape", 740, 360, scale=0.5),
    View("desk-light", 1440, 900, scale=0.5),
    View("desk-dark", 1440, 900, theme="dark", scale=0.5),
    View("german-phone", 360, 740, language="de"),
    View("german-landscape", 740, 360, language="de", scale=0.5),
    View("from-right-phone", 360, 740, language=PSEUDO_LANGUAGE),
    View("from-right-desk", 1440, 900, theme="dark", language=PSEUDO_LANGUAGE, scale=0.5),
)
