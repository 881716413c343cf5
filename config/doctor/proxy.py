"""What the proxy before the web processes says of those who come, asked through the public address."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from django.conf import settings

from config.doctor.findings import Finding, failed, not_set, ok, warning
from config.doctor.http import Address, ask

PAGE = "/accounts/login/"


def look(address: Address | None) -> Iterator[Finding]:
    if settings.HTTPS_ONLY and not settings.TRUST_PROXY:
        yield warning(
            "TRUST_PROXY is off, with HTTPS_ONLY",
            "Behind a proxy set TRUST_PROXY=1, or all visitors count as one address and pages redirect for ever.",
        )
    if address is None:
        yield not_set("no --url to be looked at")
        return
    answer = ask(address, PAGE)
    sent_on = answer.headers.get("location", "")
    if answer.status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND) and sent_on == f"{address.origin}{PAGE}":
        yield failed(
            "pages send visitors on to where they are",
            "The proxy has to send X-Forwarded-Proto: https, and Holdline to believe it (TRUST_PROXY=1).",
        )
        return
    if answer.status == HTTPStatus.BAD_REQUEST:
        yield failed(f"{address.host} is refused with 400", "Add it to ALLOWED_HOSTS; the proxy has to keep the host.")
        return
    if answer.status != HTTPStatus.OK:
        yield failed(f"{PAGE} answers {answer.status}", "See that the proxy leads to a web process that is alive.")
        return
    yield _about_claims(address)


def _about_claims(address: Address) -> Finding:
    """Whether a visitor may say by what scheme they came. The proxy has to overwrite that."""
    if address.scheme == "http" or not settings.HTTPS_ONLY:
        return ok(f"pages come through {address.origin}")
    answer = ask(address, PAGE, {"X-Forwarded-Proto": "http"})
    if answer.status != HTTPStatus.OK:
        return failed(
            "the proxy passes X-Forwarded-Proto on as visitors send it",
            "Have it set the header itself, see deploy/nginx and deploy/caddy.",
        )
    return ok(f"pages come through {address.origin}, and nobody can claim another scheme")
