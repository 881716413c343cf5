"""The servers that tests start."""

import os

import pytest

from tests.services.processes import system_tools_on_path


def test_the_tool_that_makes_the_user_of_postgresql_is_found_where_the_path_lacks_its_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with system_tools_on_path():
        assert os.environ["PATH"] == "/usr/bin:/bin:/usr/sbin:/sbin"
    assert os.environ["PATH"] == "/usr/bin:/bin"
