"""How a page sends files, module by module, in a browser without any server of ours."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.modules import ORIGIN, run

PLAN = "recordings/plan.js"
WORDS = "recordings/words.js"
UPLOADS = f"{ORIGIN}/api/recordings/uploads/"


@pytest.mark.parametrize(
    ("part", "sent", "ms", "next_part"),
    [
        (500_000, 500_000, 100, 1_000_000),
        (500_000, 500_000, 2_000, 500_000),
        (500_000, 500_000, 8_000, 131_072),
        (4_000_000, 4_000_000, 10, 4_194_304),
        (4_000_000, 10_000, 0, 4_194_304),
    ],
    ids=["quick", "as wished", "slow", "as large as may be", "in no time"],
)
def test_parts_take_about_two_seconds(modules: Page, part: int, sent: int, ms: int, next_part: int) -> None:
    body = "return m.partBytesAfter(...argument, 4194304);"
    assert run(modules, PLAN, body, [part, sent, ms]) == next_part


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (200, "", "taken"),
        (202, "", "taken"),
        (409, "wrong_place", "ask"),
        (409, "busy", "ask"),
        (409, "quota_bytes", "refused"),
        (410, "lost", "anew"),
        (401, "not_logged_in", "log_in"),
        (403, "", "log_in"),
        (403, "switched_off", "refused"),
        (413, "too_large", "refused"),
        (404, "no_such_upload", "refused"),
        (502, "", "later"),
        (503, "", "later"),
        (507, "no_room", "refused"),
    ],
)
def test_each_answer_has_a_meaning(modules: Page, status: int, code: str, meaning: str) -> None:
    assert run(modules, PLAN, "return m.meaningOf(...argument);", [status, code]) == meaning


@pytest.mark.parametrize(
    ("states", "place"),
    [
        (["waiting"], 0),
        (["sending", "paused", "waiting"], 2),
        (["sending", "torn", "checking", "waiting"], -1),
        (["done", "refused", "cancelled", "sending", "sending", "waiting"], 5),
        ([], -1),
        (["sending", "sending", "cancelled, and the server does not know yet", "waiting"], -1),
    ],
)
def test_three_files_are_sent_at_once(modules: Page, states: list[str], place: int) -> None:
    uploads = [{"state": state.split(",")[0], "isLeaving": "," in state} for state in states]
    assert run(modules, PLAN, "return m.nextToStart(argument, 3);", uploads) == place


@pytest.mark.parametrize(
    ("chosen", "listed", "taken", "words"),
    [
        (3, 0, 3, ""),
        (10_000, 0, 100, "9900 of 10000 files were left out: this page takes 100 at a time. Close some lines first."),
        (2, 99, 1, "1 of 2 files was left out: this page takes 100 at a time. Close some lines first."),
        (2, 100, 0, "2 of 2 files were left out: this page takes 100 at a time. Close some lines first."),
    ],
)
def test_a_folder_of_thousands_is_not_taken_at_once(
    modules: Page, chosen: int, listed: int, taken: int, words: str
) -> None:
    assert run(modules, PLAN, "return m.taken(...argument);", [chosen, listed]) == taken
    assert run(modules, WORDS, "return m.leftOutWords(...argument);", [chosen, taken]) == words


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        ({"state": "sending", "bytesPerS": 0}, "25 MB of 300 MB"),
        ({"state": "sending", "bytesPerS": 1_000_000}, "25 MB of 300 MB, about 5 minutes left"),
        ({"state": "sending", "bytesPerS": 9_000_000}, "25 MB of 300 MB, about 40 seconds left"),
        ({"state": "torn"}, "The connection is lost. 25 MB of 300 MB are there; it goes on by itself."),
        ({"state": "paused"}, "Paused. 25 MB of 300 MB are there."),
        ({"state": "paused", "text": "Log in."}, "Log in."),
        ({"state": "refused", "text": "This is no audio file."}, "This is no audio file."),
        ({"state": "done"}, "Done."),
    ],
)
def test_how_far_a_file_is_stands_in_words(modules: Page, upload: dict[str, Any], words: str) -> None:
    whole = {"received": 25_000_000, "size": 300_000_000, "bytesPerS": 0, "text": "", **upload}
    assert run(modules, WORDS, "return m.progressWords(argument);", whole) == words


@pytest.mark.parametrize(("size", "words"), [(1, "1 KB"), (1_540_000, "1.5 MB"), (299_600_000, "300 MB")])
def test_sizes_are_those_that_the_server_says(modules: Page, size: int, words: str) -> None:
    assert run(modules, WORDS, "return m.sizeWords(argument);", size) == words


class Receiver:
    """The server's part of an upload, as far as a page notices; `trouble` is what becomes of the next parts."""

    def __init__(self, page: Page, *trouble: str) -> None:
        self.content = b""
        self.asked: list[str] = []
        self._trouble = list(trouble)
        self._size = 0
        page.route(f"{UPLOADS}**", self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        self.asked.append(request.method)
        if request.method == "POST":
            self._size = json.loads(request.post_data or "")["size_bytes"]
            return self._tell(route)
        if request.method == "PUT":
            trouble = self._trouble.pop(0) if self._trouble else ""
            if trouble == "torn":
                return route.abort()
            if trouble:
                status, code = trouble.split()
                body = {"error": {"code": code, "text": f"{code}."}}
                return route.fulfill(status=int(status), json=body)
            said = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers["content-range"])
            assert said is not None
            assert int(said[1]) == len(self.content)
            self.content += request.post_data_buffer or b""
            assert len(self.content) == int(said[2]) + 1
        return self._tell(route)

    def _tell(self, route: Route) -> None:
        is_whole = 0 < self._size == len(self.content)
        facts = {"id": "u", "received_bytes": len(self.content), "chunk_bytes": 1_000_000, "state": "receiving"}
        route.fulfill(json=facts | ({"state": "done", "recording": {"note": ""}} if is_whole else {}))


SEND = """
const bytes = new Uint8Array(argument.size).map((_, place) => place % 251);
const upload = await new Promise((resolve) => {
    const states = [];
    const upload = new m.FileUpload(new File([bytes], "talk.mp3"), {
        address: "/api/recordings/uploads/", csrf: "t", keep: true,
        onChange(changed) {
            if (states.at(-1) !== changed.state) states.push(changed.state);
            if (["done", "refused", "paused"].includes(changed.state)) resolve({ states, text: changed.text });
        },
    });
    upload.start();
});
return upload;
"""


def sent(page: Page, size: int) -> dict[str, Any]:
    answer: dict[str, Any] = run(page, "recordings/file_upload.js", SEND, {"size": size})
    return answer


def test_a_file_is_sent_in_parts(modules: Page) -> None:
    receiver = Receiver(modules)
    assert sent(modules, 3_000_000)["states"] == ["sending", "done"]
    assert receiver.content == bytes(place % 251 for place in range(3_000_000))
    assert receiver.asked.count("PUT") > 2


def test_a_line_that_is_torn_twice_is_gone_on_from(modules: Page) -> None:
    receiver = Receiver(modules, "", "torn", "", "torn")
    assert sent(modules, 2_000_000)["states"] == ["sending", "torn", "sending", "torn", "sending", "done"]
    assert receiver.content == bytes(place % 251 for place in range(2_000_000))
    assert receiver.asked.count("POST") == 1


@pytest.mark.parametrize(
    ("trouble", "state", "text"),
    [
        ("401 not_logged_in", "paused", "You are not logged in any more. Log in in another tab, then continue here."),
        ("507 no_room", "refused", "no_room."),
        ("404 no_such_upload", "refused", "no_such_upload."),
    ],
)
def test_what_the_server_refuses_is_said(modules: Page, trouble: str, state: str, text: str) -> None:
    receiver = Receiver(modules, trouble)
    given_up = modules.expect_response(lambda response: response.request.method == "DELETE")
    with given_up if state == "refused" else nullcontext():
        answer = sent(modules, 1_000)
    assert (answer["states"][-1], answer["text"]) == (state, text)
    assert ("DELETE" in receiver.asked) is (state == "refused"), "what is refused keeps no place on the server"


def test_an_empty_file_is_not_sent_at_all(modules: Page) -> None:
    receiver = Receiver(modules)
    assert sent(modules, 0)["text"] == "This file is empty."
    assert receiver.asked == []


ASKED = {"turn": 0, "role": "user", "text": "What is said?", "recordings": ["talk"]}
TYPED = {"turn": 1, "role": "user", "text": "And you?", "id": "typed-2"}
SPOKEN = {"turn": 1, "role": "user", "text": "And you?"}


@pytest.mark.parametrize(
    ("between", "recordings", "again"),
    [
        (TYPED, ["talk"], {"text": "What is said?", "recordings": ["talk"]}),
        (TYPED, None, {"text": "And you?", "recordings": []}),
        (SPOKEN, ["talk"], {"text": "What is said?", "recordings": ["talk"]}),
        (SPOKEN, None, None),
    ],
    ids=["the question before a message", "the message", "of a page that was left", "what was spoken"],
)
def test_what_can_be_asked_again_is_what_the_line_is_about(
    modules: Page, between: dict[str, Any], recordings: list[str] | None, again: dict[str, Any] | None
) -> None:
    line = {"turn": 2, "role": "system", "code": "recording.not_ready", "text": "Not in time."}
    if recordings is not None:
        line |= {"recordings": recordings}
    body = "return m.lastTypedBefore(...argument) ?? null;"
    assert run(modules, "ui/transcript_view.js", body, [[ASKED, between, line], line]) == again
