"""The catalogue of the pages' scripts."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog

from config.translations.languages import is_offered
from config.translations.languages import version as current_version

YEAR_S = 31_536_000


@require_safe
@gzip_page
def words(request: HttpRequest, language: str, version: str) -> HttpResponseBase:
    """What the scripts say in a language. Its address changes with the words, so browsers may keep it for ever."""
    if not is_offered(language):
        raise Http404
    with translation.override(language):
        response = JavaScriptCatalog.as_view(packages=["config"])(request)
    response["Content-Language"] = language
    if version == current_version():
        patch_cache_control(response, public=True, max_age=YEAR_S, immutable=True)
    return response
