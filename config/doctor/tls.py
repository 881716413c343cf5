"""The certificate of the public address."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from config.doctor.findings import Finding, failed, not_set, ok, warning
from config.doctor.http import ANSWER_LIMIT_S, Address

SOON = datetime.timedelta(days=14)


def look(address: Address | None) -> Iterator[Finding]:
    if address is None:
        yield not_set("no --url to be looked at")
    elif address.scheme == "http":
        yield _without(address)
    else:
        yield _of(address)


def _without(address: Address) -> Finding:
    if address.host in ("localhost", "127.0.0.1", "::1"):
        return not_set(f"{address.origin} is this machine, where none is needed")
    return failed(f"{address.origin} has none", "Browsers give the microphone to https alone: let the proxy have TLS.")


def _of(address: Address) -> Finding:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=ANSWER_LIMIT_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secured,
        ):
            certificate = secured.getpeercert() or {}
            version = secured.version()
    except ssl.SSLCertVerificationError as error:
        return failed(
            f"the certificate is refused: {error.verify_message}", "Renew it, or have the proxy send its chain."
        )
    except OSError as error:
        return failed(f"{address.origin} is not reached: {error}", "Look at DNS, firewall and proxy.")
    ends = datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), datetime.UTC)
    return judged(ends, timezone.now(), version or "")


def judged(ends: datetime.datetime, now: datetime.datetime, version: str) -> Finding:
    if ends - now < SOON:
        return warning(f"the certificate ends on {ends:%Y-%m-%d}", "Renew it; see why that does not happen by itself.")
    if not settings.HTTPS_ONLY:
        return warning(f"{version}, but HTTPS_ONLY is off", "Switch it on: cookies go over plain HTTP otherwise.")
    return ok(f"{version}, certificate until {ends:%Y-%m-%d}")
