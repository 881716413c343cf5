"""Under which address a page was asked for, for what other sites are told."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest


def site_address(request: HttpRequest) -> dict[str, str]:
    """For templates: scheme and host, empty where that host is none of ours, as on the page that says so."""
    try:
        return {"site_address": f"{request.scheme}://{request.get_host()}"}
    except DisallowedHost:
        return {"site_address": ""}
