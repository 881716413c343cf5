"""The page of settings. It works without a script."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from energy.levels import Mode
from sessions_app.session_page.report import live_modes
from sessions_app.user_settings import service
from sessions_app.user_settings.announcing import tell_of_change
from sessions_app.user_settings.appearance import THEME_COOKIE
from sessions_app.user_settings.page_fields import form_of, groups_of
from sessions_app.user_settings.page_language import language_of
from sessions_app.user_settings.terms import CHOICES, read_form
from sessions_app.user_settings.terms import NAMES as SETTINGS
from sessions_app.voice_samples.service import voices_to_hear

if TYPE_CHECKING:
    from energy.marking import Words


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def settings_page(request: HttpRequest) -> HttpResponse:
    """What counts for the user, as a form; what is wrong in it is said at its field, and all of it is kept.

    So is what was entered on a page from before another saving; sent once more it counts.
    """
    user, rules = cast(User, request.user), service.rules_of_the_server()
    kept = service.kept_by(user.pk, rules)
    form, errors, revision = form_of(kept.settings), dict[str, str](), kept.revision
    is_old = False
    if request.method == "POST":
        form = request.POST.dict()
        # What the page could not ask for is not answered by it, also where the operator has let go of it since, or it
        # came with an upgrade.
        held = frozenset(form.get("held", "").split()) & frozenset(SETTINGS)
        unasked = held | (CHOICES - form.keys())
        form |= {name: value for name, value in form_of(kept.settings).items() if name in unasked}
        asked = replace(rules, locked=rules.locked | held)
        wanted, errors = read_form(form, asked)
        shown = _number_in(form.get("revision", ""))
        try:
            if not errors:
                return _done(request, gettext_lazy("Saved."), is_changed=service.save(user.pk, wanted, asked, shown))
            revision = revision if shown is None else shown
        except service.ChangedMeanwhile:
            is_old = True
    context = {
        "is_old": is_old,
        "revision": revision,
        "held": " ".join(sorted(rules.locked)),
        "section": "settings",
        "groups": groups_of(form, errors, rules, _what_goes_on(user)),
        "errors": errors,
        "kept": kept,
        "can_listen": bool(voices_to_hear(rules)),
    }
    return render(request, "settings/settings.html", context)


@require_POST
@never_cache
@login_required
def undo_settings(request: HttpRequest) -> HttpResponse:
    """Back to what stood before the last saving, if that is the one that was meant."""
    revision = _number_in(request.POST.get("revision", ""))
    is_changed = revision is not None and service.undo(cast(User, request.user).pk, revision)
    if not is_changed:
        messages.error(request, _("Nothing was undone: your settings were changed since."))
        return redirect("settings")
    return _done(request, gettext_lazy("Undone. It is as it was before."), is_changed=True)


@require_POST
@never_cache
@login_required
def reset_settings(request: HttpRequest) -> HttpResponse:
    """Back to the operator's defaults."""
    is_changed = service.reset(cast(User, request.user).pk, service.rules_of_the_server())
    return _done(request, gettext_lazy("Back to the defaults."), is_changed=is_changed)


def _done(request: HttpRequest, text: Words, *, is_changed: bool) -> HttpResponse:
    """Back to the page, which says so in the language that counts from now on."""
    if not is_changed:
        messages.info(request, _("Nothing was changed."))
        return redirect("settings")
    user = cast(User, request.user)
    tell_of_change(user.pk)
    with translation.override(language_of(service.kept_without_persona(user.pk).settings.page_language, request)):
        goes_on = _what_goes_on(user)
        then = _("%(what)s takes it over at the next pause.") % {"what": goes_on}
        messages.success(request, f"{text} {then}" if goes_on else str(text))
    response = redirect("settings")
    response.delete_cookie(THEME_COOKIE)  # what was chosen last counts
    return response


def _number_in(text: str) -> int | None:
    return int(text[:9]) if text.isdecimal() else None


def _what_goes_on(user: User) -> str:
    """What the user has live, in words that begin a sentence; empty for nothing."""
    words = {
        (Mode.CALL,): _("Your call"),
        (Mode.TEXT,): _("Your text chat"),
        (Mode.CALL, Mode.TEXT): _("Your call and your text chat"),
    }
    return words.get(tuple(sorted(live_modes(user.pk))), "")
