"""What the server that runs the application must not be started with, as far as it can be asked.

uvicorn's own defaults take WebSocket messages of 16 MiB and inflate compressed ones before anybody is asked who sends
them: a few kilobytes from a visitor who is not logged in keep the process busy for seconds and fill its memory. Its
options are not in the environment, so that no system check sees them; but it calls the lifespan with a method of an
object that has them. Daphne compresses nothing and takes 1 MiB.

Ids:
    holdline.E501  the server takes WebSocket messages that are too large, or inflates compressed ones
"""

from __future__ import annotations

from typing import Any

from config.env import Problem

LARGEST_MESSAGE_BYTES = 1024 * 1024
"""Whatever is larger is of no use: what a page may send ends at 384 KiB (`sessions_app/gateway/wire.py`)."""

ADVISED_MESSAGE_BYTES = 512 * 1024
"""Some more than a page may send: what is a little too large is then answered with a sentence."""


def problems_of_server(receive: Any) -> list[Problem]:
    """What is wrong with the options of the server that calls the lifespan application with this `receive`; nothing for
    a server that does not tell."""
    options = getattr(getattr(receive, "__self__", None), "config", None)
    largest_bytes = getattr(options, "ws_max_size", 0)
    inflates = getattr(options, "ws_per_message_deflate", False)
    if largest_bytes <= LARGEST_MESSAGE_BYTES and not inflates:
        return []
    return [
        Problem(
            "holdline.E501",
            "The server takes large or compressed WebSocket messages, with which any visitor can stop it.",
            f"Start uvicorn with --ws-max-size {ADVISED_MESSAGE_BYTES} --ws-per-message-deflate false.",
        )
    ]
