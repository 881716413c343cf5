"""What the server that runs the application takes from anybody, and that it is not too much.

uvicorn's own defaults take WebSocket messages of 16 MiB and inflate compressed ones before anybody is asked who sends
them: a few kilobytes from a visitor who is not logged in keep the process busy for seconds and fill its memory. Its
options are not in the environment, so that no system check sees them; but it calls the lifespan with a method of an
object that has them, before it listens. Daphne compresses nothing and takes 1 MiB.

Ids:
    holdline.W501  the server was started to take large or compressed WebSocket messages; it does not, we changed that
"""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)

LARGEST_MESSAGE_BYTES = 1024 * 1024
"""Whatever is larger is of no use: what a page may send ends at 384 KiB (`sessions_app/gateway/wire.py`)."""

ADVISED_MESSAGE_BYTES = 512 * 1024
"""Some more than a page may send: what is a little too large is then answered with a sentence."""


def limit_messages(receive: Any) -> None:
    """Have the server that calls the lifespan application with this `receive` take small messages only.

    Says so where it was started otherwise. Nothing happens with a server that does not tell its options.
    """
    options: Any = getattr(getattr(receive, "__self__", None), "config", None)
    largest_bytes = getattr(options, "ws_max_size", 0)
    inflates = getattr(options, "ws_per_message_deflate", False)
    if largest_bytes <= LARGEST_MESSAGE_BYTES and not inflates:
        return
    options.ws_max_size, options.ws_per_message_deflate = ADVISED_MESSAGE_BYTES, False
    logger.warning(
        "holdline.W501: the server was started to take large or compressed WebSocket messages, with which any visitor "
        "can stop it; it takes none now. Start uvicorn with --ws-max-size %d --ws-per-message-deflate false.",
        ADVISED_MESSAGE_BYTES,
    )
