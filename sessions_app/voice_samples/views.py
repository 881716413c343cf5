"""A sample of a voice over HTTP: POST has it made where there is none and says where it is, GET gives its sound.

A GET makes nothing: whoever follows addresses by themselves costs the project no session.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sessions_app import throttle_rows
from sessions_app.live.providers.upstream import Upstream
from sessions_app.throttle import VOICES, Scope, TooManyTries
from sessions_app.throttled import too_many
from sessions_app.user_settings.service import rules_of_the_server
from sessions_app.voice_samples import service
from sessions_app.voice_samples.byte_ranges import NoSuchPart, part_of
from sessions_app.voice_samples.rows import VoiceSample

NOT_NOW = gettext_lazy("The voice cannot be heard at the moment.")
KEPT_S = 7 * 24 * 3600
"""By browsers. The address has the version of the sample in it."""


@require_http_methods(["GET", "HEAD", "POST"])
def voice_sample(request: HttpRequest, voice: str, upstream: Callable[[], Upstream]) -> HttpResponse:
    """Refusals are `{"error": sentence}`: 401 for visitors, 404 for voices that cannot be listened to, 429, 503."""
    if not request.user.is_authenticated:
        return _refused(_("Log in first."), HTTPStatus.UNAUTHORIZED)
    if voice not in service.voices_to_hear(rules_of_the_server()):
        return _refused(_("There is no such voice to listen to."), HTTPStatus.NOT_FOUND)
    sample = service.find(voice)
    if request.method == "POST":
        return _made(request, voice, sample, upstream)
    if sample is None:
        return _refused(_("There is no sample of this voice yet."), HTTPStatus.NOT_FOUND)
    return _sound(request, sample)


def _made(
    request: HttpRequest, voice: str, sample: VoiceSample | None, upstream: Callable[[], Upstream]
) -> HttpResponse:
    """Where the sample is. Only one that has to be made counts as a try."""
    user = cast(User, request.user)
    if sample is None:
        try:
            throttle_rows.take(VOICES, {Scope.ACCOUNT: str(user.pk)}, user)
            sample = service.make(voice, user.pk, upstream())
        except TooManyTries as refusal:
            return too_many(_refused(str(refusal), HTTPStatus.TOO_MANY_REQUESTS), refusal)
        except service.CannotBeHeard:
            return _refused(str(NOT_NOW), HTTPStatus.SERVICE_UNAVAILABLE)
    answer = JsonResponse({"sound": f"{reverse('voice-sample', args=[voice])}?v={sample.version}"})
    add_never_cache_headers(answer)
    return answer


def _sound(request: HttpRequest, sample: VoiceSample) -> HttpResponse:
    etag = f'"{sample.version}"'
    sound = bytes(sample.sound)
    answer: HttpResponse
    try:
        part = part_of(request.headers.get("Range", ""), len(sound))
    except NoSuchPart:
        answer = HttpResponse(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        answer.headers["Content-Range"] = f"bytes */{len(sound)}"
        return answer
    if part is None or request.headers.get("If-Range", etag) != etag:
        answer = HttpResponse(sound, content_type="audio/wav")
    else:
        answer = HttpResponse(sound[part.start : part.stop], "audio/wav", HTTPStatus.PARTIAL_CONTENT)
        answer.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(sound)}"
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Cache-Control"] = f"private, max-age={KEPT_S}"
    answer.headers["Content-Length"] = str(len(answer.content))
    answer.headers["ETag"] = etag
    return cast(HttpResponse, get_conditional_response(request, etag=etag, response=answer))


def _refused(text: str, status: HTTPStatus) -> JsonResponse:
    answer = JsonResponse({"error": text}, status=status)
    add_never_cache_headers(answer)
    return answer
