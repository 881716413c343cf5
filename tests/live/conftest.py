"""The driver is tested on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    return {"virtual": VirtualTimeLoop}
