"""Google's error object, wherever it stands, in our words: pure.

A refused handshake and a REST call carry it as JSON, an exception of the SDK has it parsed, and the reason of a close
is at most its sentence. What it says of quota, and the reason that programs are to go by, stand in its details:
`QuotaFailure`, `RetryInfo` and `ErrorInfo` of https://cloud.google.com/apis/design/errors#error_details, read on 26
November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from sessions_app.live.providers.durations import seconds_of

_RETRY_IN = re.compile(r"retry in (?P<number>\d{1,12}(\.\d{1,9})?) ?(?P<unit>ms|s)\b", re.IGNORECASE | re.ASCII)

_ERROR_INFO = "google.rpc.ErrorInfo"
_MAY_PASS = {408, 409, 425, 429, 499}


@dataclass(frozen=True, slots=True)
class GoogleError:
    """What an error says.

    `text`: its status, sentence and reason, or all of it where it is no error object. `retry_after_ms`: how long it
    asks to wait, by its `RetryInfo` or in its sentence, never less than that; None when it does not ask. `quotas`: the
    id, metric and description of each quota that was exceeded, by its `QuotaFailure`.
    """

    text: str = ""
    retry_after_ms: int | None = None
    quotas: tuple[str, ...] = ()


def read_error(raw: object) -> GoogleError:
    """Read an error that came as text, as JSON text or parsed, alone, under `error` or as the only one of a list."""
    error = _object_in(raw)
    if error is None:
        text = str(raw or "")
        return GoogleError(text, _wait_in(text))
    details = tuple(_mappings(error.get("details")))
    text = " ".join(part for part in (_part(error, "status"), _part(error, "message"), _reason_in(details)) if part)
    waits = (seconds_of(detail.get("retryDelay")) for detail in details)
    seconds = next((wait for wait in waits if wait is not None), None)
    return GoogleError(
        text,
        _wait_in(text) if seconds is None else _whole_ms(seconds * 1000),
        tuple(
            " ".join(str(violation.get(key, "")) for key in ("quotaId", "quotaMetric", "description")).strip()
            for detail in details
            for violation in _mappings(detail.get("violations"))
        ),
    )


def may_pass(status: int) -> bool:
    """Whether another try may not meet this HTTP status again."""
    return status in _MAY_PASS or status >= 500


def _object_in(raw: object) -> Mapping[str, Any] | None:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            return None
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if not isinstance(raw, Mapping):
        return None
    error = raw.get("error", raw)
    return error if isinstance(error, Mapping) else None


def _part(error: Mapping[str, Any], name: str) -> str:
    return str(error.get(name) or "").strip()


def _reason_in(details: Iterable[Mapping[str, Any]]) -> str:
    """That of its `ErrorInfo`, which no language and no rewording changes, in brackets."""
    reasons = (_part(detail, "reason") for detail in details if _ERROR_INFO in _part(detail, "@type"))
    return next((f"[{reason}]" for reason in reasons if reason), "")


def _mappings(items: object) -> Iterator[Mapping[str, Any]]:
    """Those of a list that are objects."""
    return (item for item in (items if isinstance(items, list) else ()) if isinstance(item, Mapping))


def _wait_in(text: str) -> int | None:
    """The wait in a sentence such as "Please retry in 58.821668433s."."""
    match = _RETRY_IN.search(text)
    return _whole_ms(Decimal(match["number"]) * (1 if match["unit"].lower() == "ms" else 1000)) if match else None


def _whole_ms(ms: Decimal) -> int:
    """Rounded up: the provider counts every attempt that comes too early."""
    return int(ms.to_integral_value(ROUND_CEILING))
