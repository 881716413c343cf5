"""The scripts of pages and the page about the protocol use the words and numbers of the server, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
from django.core.management import call_command

from energy.levels import Mode
from sessions_app.gateway import protocol_module, wire, wording
from sessions_app.live import close_codes
from sessions_app.live.machine import failures
from sessions_app.live.machine.events import Action, State
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.machine.turns import (
    TurnState,
)

ROOT = Path(__file__).resolve().parents[2]
MODULE = protocol_module.PATH.read_text(encoding="utf-8")
SCRIPTS = {
    path.relative_to(ROOT / "static" / "js").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "static" / "js").rglob("*.js"))
    if path != protocol_module.PATH
}
DOCUMENT = (ROOT / "docs" / "browser-protocol.md").read_text(encoding="utf-8")

NEEDS_NO_ANSWER = {"TOAST", "TOAST_LEVEL", "ACTION", "TURN_STATUS", "TURN_CODE", "ROLE"}
"""Of which a page may show any member in the same way."""

WITHOUT_A_PAGE_YET = {
    "LIMIT": {"RECORDINGS"},
    "PAGE_MESSAGE": {"ATTACH"},
    "SERVER_MESSAGE": {"RECORDINGS", "QUESTION"},
    "QUESTION_STATE": {"WAITING", "UPLOADING", "PROCESSING", "ASKED", "RETRYING", "OVER"},
}
"""What other programs may say and are told, and our own page does not show."""


def constants() -> dict[str, set[str]]:
    """The names of the module's objects and of their members."""
    found = re.findall(r"^export const (\w+) = Object\.freeze\(\{\n(.*?)^\}\);", MODULE, re.MULTILINE | re.DOTALL)
    return {name: set(re.findall(r"^  (\w+):", members, re.MULTILINE)) for name, members in found}


def without_comments(script: str) -> str:
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*|\s//\s[^\n]*", "", script, flags=re.DOTALL | re.MULTILINE)


def uses() -> Iterator[tuple[str, str, str]]:
    """Script, object and member, wherever a script names a member."""
    names = "|".join(constants())
    for path, script in SCRIPTS.items():
        for name, member in re.findall(rf"\b({names})\.([A-Z_0-9]+)\b", without_comments(script)):
            yield path, name, member


# -- the module --------------------------------------------------------------------------------------------------------


def test_the_module_of_pages_is_the_one_of_the_servers_words() -> None:
    assert protocol_module.protocol_module() == MODULE, f"write it anew: {protocol_module.COMMAND}"


def test_the_command_writes_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "protocol.js"
    monkeypatch.setattr("sessions_app.management.commands.protocol_module.PATH", path)
    call_command("protocol_module")
    assert path.read_text(encoding="utf-8") == protocol_module.protocol_module()


# -- the scripts -------------------------------------------------------------------------------------------------------


def test_scripts_use_no_word_that_the_server_does_not_have() -> None:
    """A member that does not exist is no error in JavaScript: it is `undefined`, and equal to nothing."""
    known = constants()
    assert [f"{path}: {name}.{member}" for path, name, member in uses() if member not in known[name]] == []


def test_what_a_script_uses_it_imports() -> None:
    missing = set()
    for path, name, _ in uses():
        imported = re.findall(r'import \{([^}]*)\} from "[./a-z]*/protocol\.js";', SCRIPTS[path])
        if not any(name in re.findall(r"\w+", names) for names in imported):
            missing.add(f"{path}: {name}")
    assert sorted(missing) == []


@pytest.mark.parametrize("name", sorted(constants().keys() - NEEDS_NO_ANSWER))
def test_scripts_have_an_answer_to_everything_the_server_can_say(name: str) -> None:
    used = {member for _, of, member in uses() if of == name}
    assert constants()[name] - used - WITHOUT_A_PAGE_YET.get(name, set()) == set()


def test_every_close_code_has_a_line_in_the_policy_of_pages() -> None:
    policy = {member for path, name, member in uses() if (path, name) == ("session/close_policy.js", "CLOSE")}
    assert policy == constants()["CLOSE"]


def test_every_message_of_the_server_has_a_line_in_what_the_page_knows_or_in_its_connection() -> None:
    takers = ("session/session_state.js", "session/live_socket.js", "ui/live_view.js")
    taken = {member for path, name, member in uses() if name == "SERVER_MESSAGE" and path in takers}
    assert taken | WITHOUT_A_PAGE_YET["SERVER_MESSAGE"] == constants()["SERVER_MESSAGE"]


def test_every_state_and_every_reason_has_words() -> None:
    words = {(name, member) for path, name, member in uses() if path == "session/status_words.js"}
    assert constants()["STATE"] == {member for name, member in words if name == "STATE"}
    told_otherwise = {"QUEUED"}  # by the place in line
    assert constants()["STATE_REASON"] - told_otherwise == {member for name, member in words if name == "STATE_REASON"}


def test_scripts_write_no_close_code_and_no_type_of_message_themselves() -> None:
    types = "|".join([*wire.PageMessageType, *wire.ServerMessageType])
    forbidden = re.compile(rf"\b4[045]\d\d\b|\btype(?:: | [!=]== )\"(?:{types})\"")
    their_own = {"pages/account_page.js"}  # the type of an input
    pieces = [
        f"{path}: {line.strip()}"
        for path, script in SCRIPTS.items()
        if path.startswith(("session/", "pages/", "ui/")) and path not in their_own
        for line in without_comments(script).splitlines()
        if forbidden.search(line)
    ]
    assert pieces == []


# -- the server --------------------------------------------------------------------------------------------------------


def test_the_server_reads_every_message_of_pages_and_no_other() -> None:
    assert set(wire._READERS) == set(wire.PageMessageType)


def test_every_reason_for_which_a_session_stops_has_words() -> None:
    assert {reason for _, reason in failures._STOP_TEXTS} <= set(StateReason)


@pytest.mark.parametrize("reason", [*StateReason][[*StateReason].index(StateReason.FAIR_USE) + 1 :])
def test_every_reason_with_words_is_a_verdict(reason: StateReason) -> None:
    assert f'"{reason}"' in Path(failures.__file__).read_text(encoding="utf-8")


# -- the page about it -------------------------------------------------------------------------------------------------


def section(title: str) -> str:
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(text)


def first_cells(text: str) -> list[str]:
    """Of each row of the first table in the text, the marks of code taken off."""
    (table,) = re.findall(r"^\|[^\n]*\n\| ---[^\n]*\n((?:\|[^\n]*\n?)+)", text, re.MULTILINE)[:1]
    return [row.split("|")[1].strip().strip("`") for row in table.strip().splitlines()]


def row_of(type: str) -> str:
    (row,) = re.findall(rf"^\| `{type}` \|.*$", section("Server to page"), re.MULTILINE)
    return str(row)


def values(kind: type[Enum]) -> set[str]:
    return {member.value for member in kind}


def test_the_document_has_the_messages_of_pages() -> None:
    assert set(first_cells(section("Page to server"))) == values(wire.PageMessageType)


def test_the_document_has_the_messages_of_the_server() -> None:
    assert set(first_cells(section("Server to page"))) == values(wire.ServerMessageType)


def test_the_document_has_the_close_codes() -> None:
    cells = first_cells(section("Close codes"))
    ours = {value for name, value in vars(close_codes).items() if name.isupper() and isinstance(value, int)}
    of_dying_servers = {1006, 1011, 1012}
    assert {int(code) for cell in cells for code in cell.split(",")} - of_dying_servers == ours


def test_the_document_has_the_states_and_actions() -> None:
    states = row_of("state").split("|")[3].partition(";")[0]
    assert set(re.findall(r"`(\w+)`", states)) == values(State) - {State.IDLE}
    assert set(re.findall(r"`(\w+)`:", row_of("ready"))) == values(Action)


def test_the_document_has_the_reasons() -> None:
    (text,) = re.findall(r"^Reasons of a `state`.*?(?=^Toast codes)", DOCUMENT, re.MULTILINE | re.DOTALL)
    (others,) = re.findall(r"^Verdicts about the provider.*?\n\n", text, re.MULTILINE | re.DOTALL)
    assert {*first_cells(text), *re.findall(r"`([a-z-]+)`", others)} == values(StateReason)


def test_the_document_has_the_toast_codes() -> None:
    (paragraph,) = re.findall(r"^Toast codes:.*?(?=\n\n)", DOCUMENT, re.MULTILINE | re.DOTALL)
    codes = {code for code in re.findall(r"`([a-z_.]+)`", paragraph) if not code.endswith(".")}
    assert codes | {code.replace("call.", "text.") for code in codes} == set(wording.all_codes())
    assert set(Mode) == {"call", "text"}


def test_the_document_of_pages_has_the_turn_states_that_pages_show() -> None:
    """A reply that is being produced is shown as one that is heard."""
    pages = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `data-turn-state` \|(.*)$", pages, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == values(TurnState) - {TurnState.GENERATING}
