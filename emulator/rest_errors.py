"""What every REST call shares: who may ask, how a body is read, and how errors are worded."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from emulator.admission import bearer_refusal, key_refusal
from emulator.faults import Fault, FaultBoard
from emulator.models import Model, find_model
from emulator.sides import DEVELOPER_API, Place, is_denied, is_served
from emulator.texts import CATALOGUE, model_not_found, permission_denied
from emulator.wire import Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

INVALID_ARGUMENT = "Request contains an invalid argument."
_KEY_INVALID = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}
_BEARER_MISSING = (
    "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that "
    "assert a principal. See https://cloud.google.com/docs/authentication"
)
_BEARER_WRONG = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
    "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_RETIRED = (
    "This model {} is no longer available. Please update your code to use a newer model for the latest features and "
    "improvements."
)
_MISSING = "CREDENTIALS_MISSING"
_NOT_THERE = "Publisher Model `{}` was not found or your project does not have access to it."
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_STATUSES = {
    400: ("INVALID_ARGUMENT", INVALID_ARGUMENT),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    409: ("ALREADY_EXISTS", "Requested entity already exists"),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    500: (
        "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    ),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


class ApiError(Exception):
    """An answer that is an error, in the shape Google gives it."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body["error"]["message"])
        self.status = status
        self.body = body
        self.headers = headers


def error_body(code: int, status: str, message: str, *details: Json) -> Json:
    """The JSON of an error answer."""
    error: Json = {"code": code, "message": message, "status": status}
    return {"error": error | ({"details": list(details)} if details else {})}


def refusal(
    code: int, message: str = "", *details: Json, status: str = "", headers: Mapping[str, str] | None = None
) -> ApiError:
    """An error by its HTTP code, in the words and with the status usual for it unless there are others."""
    usual_status, usual = _STATUSES.get(code, _STATUSES[503] if code >= 500 else _STATUSES[400])
    return ApiError(code, error_body(code, status or usual_status, message or usual, *details), headers)


def refusal_by(fault: Fault) -> ApiError:
    """The refusal that a fault with `status`, `text` and `retry_after_s` asks for."""
    wait_s = fault.params.get("retry_after_s")
    details = [] if wait_s is None else [{"@type": _RETRY_INFO, "retryDelay": f"{wait_s}s"}]
    return refusal(fault.params["status"], fault.params.get("text", ""), *details)


@web.middleware
async def rest_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into answers of the API's shape."""
    try:
        return await handler(request)
    except ApiError as error:
        return web.json_response(error.body, status=error.status, headers=error.headers)
    except web.HTTPNotFound:
        return web.json_response(error_body(404, "NOT_FOUND", "Not found."), status=404)
    except web.HTTPMethodNotAllowed:
        return web.json_response(error_body(405, "UNIMPLEMENTED", "Method not allowed."), status=405)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # A body whose values have other types than the API gives them, or sound that is none.
        return web.json_response(error_body(400, "INVALID_ARGUMENT", f"Invalid value: {error}"), status=400)


def read_key(request: web.Request) -> str:
    """The API key of a request: from its header, or from the address."""
    return request.headers.get("x-goog-api-key") or request.query.get("key", "")


def place_of(request: web.Request) -> Place:
    """The side that a request is for, by its path."""
    there = request.match_info
    return Place(there["project"], there["location"]) if "project" in there else DEVELOPER_API


def bearer_error(reason: str) -> Json:
    """The body of the HTTP 401 by which Agent Platform refuses credentials, for a reason of `google.rpc.ErrorInfo`."""
    text = _BEARER_MISSING if reason == _MISSING else _BEARER_WRONG
    return error_body(401, "UNAUTHENTICATED", text, _info_there(reason))


def _info_there(reason: str) -> Json:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "aiplatform.googleapis.com"},
    }


def check_caller(request: web.Request) -> None:
    """Refuse a request that does not say who asks, as the side has it that it is for."""
    if not place_of(request).is_agent_platform:
        check_key(request)
        return
    check_bearer(request)
    if is_denied(project := place_of(request).project):
        raise refusal(403, permission_denied(project).text, _info_there("CONSUMER_INVALID"))


def check_bearer(request: web.Request) -> None:
    """Refuse a request to Agent Platform without credentials, or with wrong ones."""
    if reason := bearer_refusal(request.headers.get("Authorization", "")):
        raise ApiError(401, bearer_error(reason))


def check_key(request: web.Request) -> None:
    """Refuse a request without a key, or with a wrong one."""
    refused = key_refusal(read_key(request))
    if refused == "unregistered caller":
        raise refusal(403, CATALOGUE[refused].text)
    if refused is not None:
        raise refusal(400, CATALOGUE[refused].text, _KEY_INVALID)


async def read_json(request: web.Request) -> Json:
    """The body of a request, which is an object."""
    try:
        body: Any = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise refusal(400, "Invalid JSON payload received.") from error
    if not isinstance(body, dict):
        raise refusal(400, "Invalid JSON payload received.")
    return body


def read_model(request: web.Request, faults: FaultBoard, method: str | None = None) -> Model:
    """The model in the address of a request; refused as `offered_model` has it."""
    place = place_of(request)
    if place.is_agent_platform:
        return model_there(request.match_info["model"], place, faults, method)
    return offered_model(request.match_info["model"], request.match_info["version"], faults, method)


def model_there(id: str, place: Place, faults: FaultBoard, method: str | None = None) -> Model:
    """A model of Agent Platform by its id; refused where the location has none (any more) that does `method`."""
    model = find_model(id)
    is_usable = model is not None and is_served(model, place.location) and not is_gone(model, faults)
    if model is None or not is_usable or (method and method not in model.methods):
        raise refusal(404, _NOT_THERE.format(place.name_of(id)))
    return model


def offered_model(name: str, version: str, faults: FaultBoard, method: str | None) -> Model:
    """A model by its name; refused where there is none, or none (any more) that does `method`."""
    name = name.removeprefix("models/")
    model = find_model(name)
    if model is not None and not model.is_on_developer_api:
        model = None
    is_retired = model is not None and is_gone(model, faults)
    if is_retired and method:
        raise refusal(404, _RETIRED.format(f"models/{name}"))
    if model is None or is_retired or (method and method not in model.methods):
        text = model_not_found(f"models/{name}", version).text
        raise refusal(404, text.replace("bidiGenerateContent", method or "generateContent"))
    return model


def is_gone(model: Model, faults: FaultBoard) -> bool:
    """True for a model that was retired."""
    return faults.peek("retire_model", "", model.id) is not None


def page_size(request: web.Request, usual: int = 50, most: int = 1000) -> int:
    """How many entries a list may have."""
    size = request.query.get("pageSize", "")
    return min(max(int(size), 1), most) if size.isdecimal() else usual


def page_start(request: web.Request) -> int:
    """Where a list goes on."""
    token = request.query.get("pageToken", "0")
    if not token.isdecimal():
        raise refusal(400, "Invalid page token.")
    return int(token)
