"""Installing: where from, and how far it is."""

import pytest

from tools.installers import parse_pip_configuration, uv_environment

PIP_CONFIGURATION = """\
:env:.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'
global.extra-index-url='https://overruled.example/simple'
global.index-url='https://packages.example/simple'
install.find-links='/wheels /more-wheels'
"""


def test_uv_fetches_from_where_pip_is_configured_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    environment = uv_environment(parse_pip_configuration(PIP_CONFIGURATION))
    assert environment["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert environment["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert environment["UV_FIND_LINKS"] == "/wheels,/more-wheels"


def test_what_uv_itself_is_told_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.example/simple")
    environment = uv_environment(parse_pip_configuration(PIP_CONFIGURATION))
    assert environment["UV_DEFAULT_INDEX"] == "https://own.example/simple"
