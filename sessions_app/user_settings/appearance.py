"""What of the settings every page goes by: its colours, and how calls and chats begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from sessions_app.user_settings.service import kept_without_persona, rules_without_personas
from sessions_app.user_settings.terms import THEMES, UserSettings

THEME_COOKIE = "theme"
"""The theme that was chosen at the foot of a page in this browser, a dot, and the setting that it departs from: when
that changes, the choice is over. Written by `ui/theme_switch.js`."""

_KEPT = "_settings_of_its_user"


@dataclass(frozen=True, slots=True)
class Theme:
    """`shown`: what counts in this browser. `setting`: what does without a choice made in it. `can_choose`: the
    operator has not locked it."""

    shown: str
    setting: str
    can_choose: bool


def appearance(request: HttpRequest) -> dict[str, Any]:
    """For templates: `appearance`, the settings of whoever looks, and `theme`, that of this browser; nothing is read
    before somebody asks, and only once."""
    settings = cast(UserSettings, SimpleLazyObject(lambda: settings_of_request(request)))
    return {"appearance": settings, "theme": SimpleLazyObject(lambda: _theme_for(request, settings))}


def theme_in_browser(setting: str, cookie: str) -> str:
    """The theme that counts, by the setting and by what the browser has kept, which can be anything."""
    chosen, _, departed_from = cookie.partition(".")
    return chosen if chosen in THEMES and departed_from == setting else setting


def _theme_for(request: HttpRequest, settings: UserSettings) -> Theme:
    can_choose = "theme" not in rules_without_personas().locked
    cookie = request.COOKIES.get(THEME_COOKIE, "") if can_choose else ""
    return Theme(theme_in_browser(settings.theme, cookie), settings.theme, can_choose)


def settings_of_request(request: HttpRequest) -> UserSettings:
    """Of a visitor the operator's. Read once for a request."""
    kept: UserSettings | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = _settings_for(request)
        setattr(request, _KEPT, kept)
    return kept


def _settings_for(request: HttpRequest) -> UserSettings:
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return kept_without_persona(user.pk).settings
    return rules_without_personas().defaults
