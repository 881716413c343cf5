"""Quota as the faults set it: who is refused, in which words, over Live and over REST."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.faults import Fault, FaultBoard
from emulator.sides import DEVELOPER_API, Place
from emulator.texts import CATALOGUE, CloseText
from emulator.wire import Json, format_duration

_LIVE_TEXTS = {
    "minute": "resource exhausted",
    "day": "quota exceeded",
    "concurrency": "quota exceeded",
    "billing": "prepayment",
}
# Agent Platform says of every limit the same, with a page about it, and another thing where nobody pays.
_TEXT_THERE = "resource exhausted there"
_UNPAID_THERE = "billing there"
_DEVELOPER_API = "developer-api"
_QUOTA_IDS = {
    "minute": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    "day": "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
}
# What a free project was seen to be allowed at once.
_DEFAULT_SESSIONS = 3
_HELP = "https://ai.google.dev/gemini-api/docs/rate-limits"


class Quota:
    """Reads the quota faults; holds nothing itself."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults

    def refusal_of_session(self, model: str, place: Place, connection: str, others: Iterable[str]) -> CloseText | None:
        """The close that refuses a new connection for `model`, if its quota is gone; `others` are the models in use."""
        fault = self._fault(model, place, connection)
        if fault is None:
            return None
        if fault.params["limit"] == "concurrency":
            counted = [other for other in others if fault.model in (None, other)]
            if len(counted) < fault.params.get("sessions", _DEFAULT_SESSIONS):
                return None
        return self._refuse(fault, place)

    def refusal_of_reply(self, model: str, place: Place, connection: str) -> CloseText | None:
        """The close that ends an open connection when it should answer and its quota has gone meanwhile."""
        fault = self._fault(model, place, connection)
        if fault is None or fault.params["limit"] == "concurrency":
            return None
        return self._refuse(fault, place)

    def rest_error(self, model: str, place: Place = DEVELOPER_API) -> Json | None:
        """The body of the HTTP 429, or 403, that refuses a REST call for `model`, if its quota is gone."""
        fault = self._fault(model, place, "")
        if fault is None or fault.params["limit"] == "concurrency":
            return None
        self._faults.count(fault)
        if place.is_agent_platform:
            return _error_there(fault.params["limit"])
        return quota_error(fault.params["limit"], model, fault.params.get("retry_after_s"))

    def _fault(self, model: str, place: Place, connection: str) -> Fault | None:
        def is_there(fault: Fault) -> bool:
            where = fault.params.get("where")
            return where is None or where == (place.location or _DEVELOPER_API)

        return self._faults.peek("quota", connection, model, is_there)

    def _refuse(self, fault: Fault, place: Place) -> CloseText:
        self._faults.count(fault)
        limit = fault.params["limit"]
        return CATALOGUE[_text_there(limit) if place.is_agent_platform else _LIVE_TEXTS[limit]]


def _text_there(limit: str) -> str:
    return _UNPAID_THERE if limit == "billing" else _TEXT_THERE


def _error_there(limit: str) -> Json:
    error: Json = {"code": 429, "message": CATALOGUE[_text_there(limit)].text, "status": "RESOURCE_EXHAUSTED"}
    if limit == "billing":
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "BILLING_DISABLED"}
        error |= {"code": 403, "status": "PERMISSION_DENIED", "details": [info]}
    return {"error": error}


def storage_error(most_bytes: int) -> Json:
    """The body of the HTTP 429 that refuses a file for which a project has no room, as users have met it."""
    metric = "generativelanguage.googleapis.com/file_storage_bytes"
    violation = {"quotaMetric": metric, "quotaId": "FileStorageBytesPerProject", "quotaValue": str(most_bytes)}
    details: list[Json] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Quotas", "url": _HELP}]},
    ]
    message = f"{CATALOGUE['quota exceeded'].text}\n* Quota exceeded for metric: {metric}, limit: {most_bytes}"
    return {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}


def quota_error(limit: str, model: str, retry_after_s: float | None) -> Json:
    """The body of an HTTP 429 that says which limit was met, and when to come back if that is given."""
    details: list[Json] = [
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Quotas", "url": _HELP}]}
    ]
    message = CATALOGUE[_LIVE_TEXTS[limit]].text
    if limit in _QUOTA_IDS:
        violation = {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": _QUOTA_IDS[limit],
            "quotaDimensions": {"location": "global", "model": model},
        }
        details.append({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]})
        message = CATALOGUE["quota exceeded"].text
    if retry_after_s is not None:
        delay = format_duration(retry_after_s)
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
        message += f"\nPlease retry in {delay}."
    return {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}
