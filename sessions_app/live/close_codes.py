"""What the server says by closing a page's socket: the close codes of `docs/browser-protocol.md`.

Of the codes that applications may choose, 4000 to 4999 are private (RFC 6455, section 7.4.2); most echo an HTTP status.
"""

from __future__ import annotations

HUNG_UP = 1000
DRAINING = 4012
MALFORMED = 4400
NOT_LOGGED_IN = 4401
NOT_YOURS = 4403
NO_START = 4408
OPENED_ELSEWHERE = 4409
TOO_LARGE = 4413
TOO_MUCH = 4429
OUR_FAULT = 4500
