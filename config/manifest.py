"""What browsers ask for at the root of a site: its icon, and what it is called where it is installed."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

HOUR_S = 3600


@require_safe
@cache_control(max_age=HOUR_S, public=True)
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """For whoever asks for it where it has always been."""
    return HttpResponseRedirect(static("images/favicon.ico"))


@require_safe
@cache_control(max_age=HOUR_S, public=True)
def manifest(request: HttpRequest) -> JsonResponse:
    """A web application manifest (W3C): it can be installed. It has no service worker, and does not claim to work
    without a network."""
    icons = [
        {"src": static(f"images/{name}.png"), "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size, purpose in (
            ("icon-192", "192x192", "any"),
            ("icon-512", "512x512", "any"),
            ("icon-maskable-512", "512x512", "maskable"),
        )
    ]
    told = {
        "id": "/",
        "name": "Holdline",
        "short_name": "Holdline",
        "description": _("Talk with Gemini by voice and by typing, on a line that does not drop."),
        "lang": get_language() or settings.LANGUAGE_CODE,
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f5f4",
        "theme_color": "#f3f5f4",
        "icons": icons,
        "shortcuts": [{"name": _("Call"), "url": "/call/"}, {"name": _("Text"), "url": "/text/"}],
    }
    return JsonResponse(told, content_type="application/manifest+json")
