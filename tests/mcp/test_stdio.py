"""Programs that start `manage.py mcp` themselves, with the SDK's own client."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.mcp.conftest import make_key, over_stdio, talk_about
from tests.services.prepared import run_prepared
from tests.services.processes import HANGS_AFTER_S
from tests.services.web import ROOT, WebServer

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def test_a_program_on_the_machine_asks_in_the_name_of_a_user(site: WebServer) -> None:
    (id,) = talk_about(site, "By the name of a user.")
    async with over_stdio(site, "--user", "alice", mode="legacy") as client:
        listed = await client.call_tool("list_conversations", {})
    assert listed.structured_content["conversations"][0]["id"] == id


async def test_or_by_an_access_key_that_no_list_of_processes_shows(site: WebServer) -> None:
    talk_about(site, "Of Bob alone.", "bob")
    async with over_stdio(site, HOLDLINE_ACCESS_KEY=make_key(site, "bob")) as client:
        found = await client.call_tool("search_history", {"words": "bob alone"})
    assert found.structured_content["total"] == 1
    noted = site.shell(
        "from sessions_app.models import ToolCall\n"
        "row = ToolCall.objects.latest('id')\n"
        "print(row.user, row.key_name, row.transport, row.tool, row.outcome)"
    )
    assert noted.split() == ["bob", "laptop", "stdio", "search_history", "done"]


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {}, "Say in whose name"),
        (["--user", "alice"], {"HOLDLINE_ACCESS_KEY": "hl_x"}, "not both"),
        (["--user", "nobody"], {}, "There is no user nobody"),
        ([], {"HOLDLINE_ACCESS_KEY": "hl_wrong"}, "lets nobody in"),
        (["--user", "alice"], {"MCP": "0"}, "MCP is switched off"),
    ],
)
def test_who_says_wrongly_in_whose_name_is_told_so(
    site: WebServer, arguments: list[str], variables: dict[str, str], words: str
) -> None:
    done = run_prepared("manage", ("mcp", *arguments), {**site.environment, **variables}, ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_but_answers_goes_to_the_output_and_the_program_ends_with_its_input(site: WebServer) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "list_conversations", "_meta": META}}
    written = ("{", "null", '{"jsonrpc": "2.0"}', "\u00e4\x00", json.dumps(call))
    program = subprocess.Popen(
        [sys.executable, "manage.py", "mcp", "--user", "alice"],
        cwd=ROOT,
        env=site.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write("".join(f"{line}\n" for line in written))
    program.stdin.flush()
    answers: list[dict[str, Any]] = []
    while not any(answer.get("id") == 7 for answer in answers):
        answers.append(json.loads(program.stdout.readline()))
    rest, logged = program.communicate(timeout=HANGS_AFTER_S)
    assert (rest, program.returncode) == ("", 0)
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert "a call by MCP" in logged
