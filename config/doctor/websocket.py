"""A socket through the public address, as a page opens it."""

from __future__ import annotations

from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from config.doctor.findings import Finding, failed, not_set, ok
from config.doctor.http import ANSWER_LIMIT_S, Address
from sessions_app.live.close_codes import NOT_LOGGED_IN

PATH = "/ws/call/"


def look(address: Address | None) -> Iterator[Finding]:
    """Who is not logged in is let in and told so, which is all that has to be seen."""
    if address is None:
        yield not_set("no --url to be looked at")
        return
    url = f"ws{address.origin.removeprefix('http')}{PATH}"
    try:
        with connect(
            url, origin=Origin(address.origin), open_timeout=ANSWER_LIMIT_S, close_timeout=1, proxy=None
        ) as socket:
            while True:  # until it is closed; before that it is told why
                socket.recv(timeout=ANSWER_LIMIT_S)
    except InvalidStatus as refused:
        yield _refused(refused.response.status_code)
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd is not None else 1006
        if code == NOT_LOGGED_IN:
            yield ok(f"opens through {url}")
        else:
            yield failed(f"is closed with {code}", "See the log of the web process.")
    except (OSError, WebSocketException, TimeoutError) as error:
        yield failed(f"does not open: {error}", "See that the proxy forwards WebSockets.")


def _refused(status: int) -> Finding:
    if status == 403:
        return failed(
            "the origin is refused (403)",
            "The proxy has to keep the host and send X-Forwarded-Proto; else name the origin in CSRF_TRUSTED_ORIGINS.",
        )
    return failed(f"is refused with {status}", "Have the proxy forward WebSockets: Upgrade and Connection.")
