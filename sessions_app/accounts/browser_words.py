"""What a browser calls itself, in the words of people: `Firefox on Linux`. Pure; what it says is not kept otherwise."""

from django.utils.translation import gettext as _

from energy.marking import gettext_noop

BROWSERS = (
    # Most of them also claim to be those further down.
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/", "OPT/"), "Opera"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/", "Chromium/"), "Chrome"),
    (("Safari/",), "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN = gettext_noop("A browser")


def browser_words(user_agent: str) -> str:
    """The browser and its system, as far as they are known here; `A browser` where neither is.

    Args:
        user_agent: the header `User-Agent`; anybody's claim, of any length.
    """
    browser = next((name for marks, name in BROWSERS if any(mark in user_agent for mark in marks)), "")
    browser = browser or _(UNKNOWN)
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    # Translators: such as Firefox on Linux
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser
