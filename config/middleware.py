"""Headers that neither Django nor django-csp sets, or not as they should be here."""

import ipaddress
from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

NEEDED_FEATURES = ("autoplay", "clipboard-write", "microphone", "screen-wake-lock")
REFUSED_FEATURES = (
    *(
        "accelerometer",
        "camera",
        "clipboard-read",
        "compute-pressure",
        "display-capture",
        "encrypted-media",
        "fullscreen",
    ),
    *("gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "keyboard-map"),
    *("local-fonts", "magnetometer", "midi", "otp-credentials", "payment", "picture-in-picture"),
    *("publickey-credentials-create", "publickey-credentials-get", "serial", "storage-access", "sync-xhr", "usb"),
    *("window-management", "xr-spatial-tracking"),
)
"""What a page could do that none of ours does. Names that Chromium does not know would be a warning on every page."""

PERMISSIONS_POLICY = ", ".join(
    [f"{feature}=(self)" for feature in NEEDED_FEATURES] + [f"{feature}=()" for feature in REFUSED_FEATURES]
)

GetResponse = Callable[[HttpRequest], HttpResponse]


def permissions_policy(get_response: GetResponse) -> GetResponse:
    """Pages may use the microphone, play sound, keep the screen on and copy; nothing embedded in them may."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def cross_origin_policies(get_response: GetResponse) -> GetResponse:
    """No other site may embed what is here. What Django says of openers is left out where browsers refuse to hear it.

    That is on origins without TLS, but for the machine itself: there they ignore the header and say so on every page.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not (request.is_secure() or _is_loopback(request.META.get("HTTP_HOST", ""))):
            response.headers.pop("Cross-Origin-Opener-Policy", None)
        return response

    return middleware


def _is_loopback(host: str) -> bool:
    name, _ = split_domain_port(host)
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class ContentSecurityPolicy(CSPMiddleware):
    """The policy of the settings, as far as it can hold for a request.

    In Django's admin, scripts may make elements out of text: jQuery, on which they rest, does so as soon as it is
    loaded. Without TLS, Chromium sends nothing to an endpoint, and where one is named it does not ask for `report-uri`.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.is_secure():
            response.headers.setdefault("Reporting-Endpoints", f'csp="{settings.CSP_REPORTS_URL}"')
        return super().process_response(request, response)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        left_out = [] if request.is_secure() else ["report-to"]
        if request.resolver_match and request.resolver_match.app_name == "admin":
            left_out.append("require-trusted-types-for")
        parts.replace = {**(parts.replace or {}), **dict.fromkeys(left_out)}
        return parts
