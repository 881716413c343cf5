"""What can be done with the messages of a conversation, and what they say of themselves. The server is the test."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.modules import run
from tests.browser.peer import Peer
from tests.browser.test_accessibility import violations

NOTE_WORDS = """(button) => {
    window.words = [];
    const note = () => window.words.push(button.innerText.trim());
    new MutationObserver(note).observe(button, { childList: true, subtree: true });
}"""
"""What a button says for a moment alone, in the order in which it says it."""

QUESTION = "Why are there two tides a day?"
ANSWER = "The Moon stretches the sea."


def line(number: int, role: str, text: str, at: str = "2026-03-02T10:15:00+00:00") -> dict[str, Any]:
    return {"turn": number, "role": role, "text": text, "status": "complete", "at": at}


@pytest.fixture
def page(played_page: Page) -> Page:
    return played_page


def opened(page: Page, *lines: dict[str, Any]) -> Peer:
    """A text chat in which that was said."""
    peer = Peer(page, "text", action="resumed", transcript=list(lines))
    page.goto("/text/")
    expect(page.locator(".turn")).to_have_count(len(lines))
    return peer


def message(page: Page, number: int) -> Locator:
    return page.locator(f"[data-turn='{number}']")


def test_each_message_can_be_copied_as_it_was_written_also_ones_own(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", "**Bold** words"))
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    for number, written in ((1, QUESTION), (2, "**Bold** words")):
        button = message(page, number).get_by_role("button", name="Copy message")
        expect(button).to_be_visible()
        button.evaluate(NOTE_WORDS)
        button.click()
        page.wait_for_function("() => window.words.includes('Copied')")
        assert page.evaluate("window.copied") == written


def test_a_quote_stands_in_the_composer_and_what_is_written_below_it_is_sent_with_it(page: Page) -> None:
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    box = page.get_by_role("textbox", name="Message")
    box.fill("Wait.")
    message(page, 2).get_by_role("button", name="Quote message").click()
    expect(box).to_have_value(f"Wait.\n\n> {ANSWER}\n\n")
    expect(box).to_be_focused()
    page.keyboard.type("How far?")
    page.keyboard.press("Enter")
    peer.wait_for(lambda: bool(peer.of("text")), "the message")
    assert peer.of("text")[0]["text"] == f"Wait.\n\n> {ANSWER}\n\nHow far?"
    sent = page.locator(".turn[data-role=user]").last
    expect(sent.locator("blockquote")).to_have_text(ANSWER)
    expect(sent.locator("p").first).to_have_text("Wait.")


def test_of_a_message_that_is_selected_in_part_that_part_is_quoted(page: Page) -> None:
    opened(page, line(2, "model", ANSWER))
    message(page, 2).locator(".turn__body p").evaluate(
        "(node) => getSelection().setBaseAndExtent(node.firstChild, 4, node.firstChild, 8)"
    )
    message(page, 2).get_by_role("button", name="Quote message").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("> Moon\n\n")


def test_the_time_of_a_message_is_told_to_who_listens_and_shown_to_who_points_at_it(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    time = message(page, 1).locator("time")
    assert time.get_attribute("datetime") == "2026-03-02T10:15:00+00:00"
    shown = time.evaluate("(node) => new Date(node.dateTime).toTimeString().slice(0, 5)")
    expect(time).to_have_text(shown)
    expect(time).to_have_css("opacity", "0")
    message(page, 1).hover()
    expect(time).to_have_css("opacity", "1")
    message(page, 2).get_by_role("button", name="Quote message").focus()
    expect(message(page, 2).locator("time")).to_have_css("opacity", "1")


def test_a_day_that_begins_within_a_conversation_is_named_once(page: Page) -> None:
    page.clock.set_fixed_time("2026-03-04T12:00:00")
    peer = opened(
        page,
        line(1, "user", "one", "2026-03-02T12:00:00"),
        line(2, "model", "two", "2026-03-02T12:01:00"),
        line(3, "user", "three", "2026-03-03T12:00:00"),
        line(4, "user", "four", "2026-03-04T11:00:00"),
    )
    days = page.locator(".day")
    expect(days).to_have_text(["Monday 2 March", "Yesterday", "Today"])
    peer.turn(5, "model", "five", at="2026-03-04T11:01:00")
    expect(page.locator(".turn")).to_have_count(5)
    expect(days).to_have_count(3)
    assert violations(page) == []


def test_a_conversation_of_today_has_no_day(page: Page) -> None:
    peer = opened(page)
    page.get_by_role("textbox", name="Message").fill("Hello")
    page.keyboard.press("Enter")
    peer.wait_for(lambda: bool(peer.of("text")), "the message")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".day")).to_have_count(0)


def test_a_message_is_read_in_the_direction_of_its_script(page: Page) -> None:
    opened(page, line(1, "user", "שלום עולם"), line(2, "model", "مرحبا\n\nHello"))
    direction = "(node) => getComputedStyle(node).direction"
    assert message(page, 1).locator(".turn__body p").evaluate(direction) == "rtl"
    assert [node.evaluate(direction) for node in message(page, 2).locator(".turn__body p").all()] == ["rtl", "ltr"]
    page.get_by_role("textbox", name="Message").fill("שלום")
    assert page.get_by_role("textbox", name="Message").evaluate(direction) == "rtl"


def test_words_are_found_in_a_conversation_marked_and_gone_through_by_keyboard(page: Page) -> None:
    peer = opened(
        page, *(line(number, "model", f"line {number}\n\n" * 6) for number in range(1, 30)), line(30, "user", "Ménage")
    )
    opener = page.get_by_role("button", name="Find in this conversation")
    opener.click()
    field, count = page.get_by_role("searchbox"), page.locator("[data-find-count]")
    expect(field).to_be_focused()
    field.fill("menage")
    expect(count).to_have_text("1 of 1")
    field.fill("LINE 12")
    expect(count).to_have_text("6 of 6")
    expect(message(page, 12)).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(count).to_have_text("1 of 6")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("6 of 6")
    assert page.evaluate("CSS.highlights.get('found').size") == 6
    peer.turn(31, "model", "another line 12")
    expect(count).to_have_text("6 of 7")
    expect(message(page, 12)).to_be_in_viewport()
    expect(page.get_by_role("link", name="Find in all conversations")).to_have_attribute(
        "href", re.compile(r"/history/\?q=LINE%2012$")
    )
    assert violations(page) == []
    field.fill("nowhere")
    expect(count).to_have_text("Not found")
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert page.evaluate("CSS.highlights.get('found').size") == 0


def test_words_are_found_across_what_is_set_in_bold(page: Page) -> None:
    opened(page, line(1, "model", "spring**tide**"))
    page.get_by_role("button", name="Find in this conversation").click()
    page.get_by_role("searchbox").fill("gtid")
    expect(page.locator("[data-find-count]")).to_have_text("1 of 1")
    assert page.evaluate("[...CSS.highlights.get('found')][0].toString()") == "gtid"


@pytest.mark.parametrize(
    ("text", "wanted", "places"),
    [
        ("Hôtel, HOTEL, hotel", "hotel", [[0, 5], [7, 12], [14, 19]]),
        ("cafe\u0301s", "és", [[3, 6]]),
        ("aaa", "aa", [[0, 2]]),
        ("\U0001f30a tide", "tide", [[3, 7]]),
        ("ﬁne", "fi", [[0, 1]]),
        ("x", " ", []),
    ],
)
def test_words_are_found_whatever_their_case_and_accents(
    modules: Page, text: str, wanted: str, places: list[list[int]]
) -> None:
    body = "return m.placesOf(argument[0], argument[1]).map(({ start, end }) => [start, end]);"
    assert run(modules, "session/find_words.js", body, [text, wanted]) == places


def test_no_more_places_are_found_than_can_be_gone_through(modules: Page) -> None:
    assert run(modules, "session/find_words.js", "return m.placesOf('a'.repeat(9000), 'a').length;") == 500


CODE = "Look:\n\n```python\ndef tide():\n    return 'high'  # <b>twice</b>\n```\n\n```\nplain\n```"


def test_code_says_its_language_is_highlighted_when_it_is_whole_and_can_be_copied(page: Page) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    peer = opened(page, line(1, "user", QUESTION))
    peer.turn(2, "model", CODE, "partial")
    first, second = (page.locator(".code").nth(number) for number in (0, 1))
    expect(first.locator("figcaption")).to_contain_text("python")
    page.evaluate("fetch('/healthz').then(() => true)")  # what the code would have asked for was asked for before
    assert not any("highlight" in url for url in fetched)
    peer.turn(2, "model", CODE)
    expect(first.locator(".hljs-keyword").first).to_have_text("def")
    expect(first.locator("code")).to_have_text("def tide():\n    return 'high'  # <b>twice</b>\n")
    expect(second.locator("code")).to_have_text("plain\n")
    assert sum("highlight.min" in url for url in fetched) == 1
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    second.get_by_role("button", name="Copy code").click()
    assert page.evaluate("window.copied") == "plain\n"
    assert violations(page) == []


def test_code_that_is_very_long_stays_as_it_is(page: Page) -> None:
    opened(page, line(2, "model", "```js\n" + "let a = 1;\n" * 2000 + "```\n\n```js\nlet b;\n```"))
    expect(page.locator(".code").nth(1).locator(".hljs-keyword")).to_have_count(1)
    expect(page.locator(".code").nth(0).locator(".hljs-keyword")).to_have_count(0)


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[the table](https://example.com/tides)", "the table (example.com)"),
        ("<https://example.com/tides>", "https://example.com/tides"),
        ("[www.example.com](https://example.com)", "www.example.com"),
        ("[bank.example](https://evil.example)", "bank.example (evil.example)"),
        ("[bank.example.evil.example](https://bank.example)", "bank.example.evil.example (bank.example)"),
        ("[write](mailto:a@example.com?subject=x)", "write (a@example.com)"),
        ("[bank.example](https://bank.example@evil.example)", "bank.example (evil.example)"),
    ],
)
def test_a_link_says_where_it_leads_unless_its_words_do(modules: Page, link: str, shown: str) -> None:
    body = "const box = document.createElement('div'); box.append(m.renderMarkdown(argument)); return box.textContent;"
    assert run(modules, "ui/markdown.js", body, link).strip() == shown


def test_a_table_scrolls_by_itself_and_stays_a_table(page: Page) -> None:
    cells = "|" + "a cell of some words|" * 12
    opened(page, line(2, "model", f"{cells}\n{'|---' * 12}|\n{cells}"))
    expect(page.get_by_role("table")).to_be_visible()
    box = page.get_by_role("region", name="Table")
    assert box.evaluate("(node) => node.scrollWidth > node.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\n\n two ", "> one\n>\n>  two\n\n"),
        (" \n ", ""),
        ("word " * 200, "> " + ("word " * 119).strip() + " …\n\n"),
    ],
)
def test_a_quote_marks_each_line_and_is_bounded(modules: Page, text: str, written: str) -> None:
    assert run(modules, "session/quotes.js", "return m.quoted(argument);", text) == written


def test_a_message_is_told_apart_from_what_it_quotes(modules: Page) -> None:
    text = "> one\n> two\n\nWhy?\n\n>three"
    assert run(modules, "session/quotes.js", "return m.partsOf(argument);", text) == [
        {"isQuote": True, "text": "one\ntwo"},
        {"isQuote": False, "text": "Why?"},
        {"isQuote": True, "text": "three"},
    ]


ENDED = """<h1 class="conversation__title">Two tides</h1>
<p class="conversation__verdict">Held 3 times, nothing lost.</p>
<dl class="facts"><div><dt>Model</dt><dd data-fact="models">gemini-x</dd></div>
<div><dt>Tokens</dt><dd data-fact="tokens">12 in, 34 out</dd></div></dl>"""


def test_the_end_of_a_call_tells_what_it_came_to_as_that_is_written_and_leads_on(page: Page) -> None:
    summaries = ['<section data-summary="pending"></section>']
    page.route(
        "**/history/c1/",
        lambda route: route.fulfill(body=ENDED + summaries[-1], content_type="text/html; charset=utf-8"),
    )
    peer = Peer(page, "call", transcript=[line(1, "user", QUESTION), line(2, "model", ANSWER)])
    page.goto("/call/")
    page.get_by_role("button", name="Start the call").click()
    expect(page.locator(".turn")).to_have_count(2)
    page.get_by_role("button", name="Hang up").click()
    story = page.locator("[data-ended-story]")
    expect(story).to_contain_text("Two tides")
    expect(story).to_contain_text("Held 3 times, nothing lost. · gemini-x · 12 in, 34 out tokens")
    summaries.append('<section data-summary="ready"><p class="summary__text">The Moon does it.</p></section>')
    expect(story).to_contain_text("The Moon does it.")
    assert [link.get_attribute("href") for link in story.get_by_role("link").all()] == [
        "/call/?continue=c1",
        "/text/?continue=c1",
        "/history/c1/",
        "/history/c1/export.md",
        "/history/c1/delete/",
    ]
    assert violations(page) == []
    assert peer.of("hangup")


# -- the last question, once more --------------------------------------------------------------------------------------

REWRITTEN = "Why are there two tides a day in Husum?"


def rewrite(page: Page, peer: Peer, text: str = REWRITTEN) -> dict[str, Any]:
    """Write the last question anew and send it; gives what the server was sent."""
    message(page, 1).get_by_role("button", name="Edit message").click()
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")
    peer.wait_for(lambda: bool(peer.of("text")), "the question")
    return peer.of("text")[0]


def take_in(peer: Peer, sent: dict[str, Any]) -> None:
    """What the server tells when it has taken it in."""
    for withdrawn in (line(1, "user", QUESTION), line(2, "model", ANSWER)):
        peer.say("turn", **withdrawn, withdrawn=True)
    peer.say("turn", **line(3, "user", sent["text"]), id=sent["id"], replaces=sent["replaces"])


def test_the_last_question_is_written_anew_in_its_place(page: Page) -> None:
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    box = page.get_by_role("textbox", name="Message")
    message(page, 1).get_by_role("button", name="Edit message").click()
    expect(box).to_have_value(QUESTION)
    expect(box).to_be_focused()
    expect(page.locator("[data-editing]")).to_be_visible()
    sent = rewrite(page, peer)
    assert (sent["text"], sent["replaces"]) == (REWRITTEN, 1)
    expect(page.locator("[data-editing]")).to_be_hidden()
    expect(box).to_have_value("")


def test_the_earlier_version_is_folded_at_once_and_can_be_read(page: Page) -> None:
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    sent = rewrite(page, peer)
    fold = page.locator(".earlier-version")
    expect(fold).to_have_count(1)
    expect(message(page, 2)).to_be_hidden()
    take_in(peer, sent)
    expect(message(page, 3)).to_be_visible()
    expect(fold).to_have_count(1)
    expect(fold.locator(".turn")).to_have_count(2)
    fold.get_by_text("Earlier version").click()
    expect(message(page, 2)).to_be_visible()
    assert violations(page) == []


def test_the_arrow_up_in_an_empty_composer_takes_the_last_question_back_and_escape_leaves_it(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    box = page.get_by_role("textbox", name="Message")
    box.press("ArrowUp")
    expect(box).to_have_value(QUESTION)
    box.press("Escape")
    expect(box).to_have_value("")
    expect(page.locator("[data-editing]")).to_be_hidden()
    box.fill("Something else")
    box.press("ArrowUp")
    expect(box).to_have_value("Something else")


def test_what_was_being_written_is_there_again_after_the_editing(page: Page) -> None:
    opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    box = page.get_by_role("textbox", name="Message")
    box.fill("Something else")
    message(page, 1).get_by_role("button", name="Edit message").click()
    box.fill("Never mind")
    page.get_by_role("button", name="Cancel").click()
    expect(box).to_have_value("Something else")
    page.reload()
    expect(page.get_by_role("textbox", name="Message")).to_have_value("Something else")


def test_another_answer_is_asked_for_with_the_same_question(page: Page) -> None:
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    message(page, 2).get_by_role("button", name="Answer again").click()
    peer.wait_for(lambda: bool(peer.of("text")), "the question")
    sent = peer.of("text")[0]
    assert (sent["text"], sent["replaces"]) == (QUESTION, 1)
    take_in(peer, sent)
    peer.say("turn", **line(4, "model", "The Sun helps."))
    peer.say("turn_complete", turn=4, usage=None)
    expect(message(page, 4).get_by_role("button", name="Answer again")).to_be_visible()


def test_while_an_answer_is_on_its_way_its_question_stays(page: Page) -> None:
    """Neither button is there, and the arrow does nothing."""
    peer = opened(page, line(1, "user", QUESTION), line(2, "model", ANSWER))
    edit = page.get_by_role("button", name="Edit message")
    expect(edit).to_have_count(1)
    peer.say("turn", **line(3, "user", "And neap tides?"))
    expect(edit).to_have_count(0)
    expect(page.get_by_role("button", name="Answer again")).to_have_count(0)
    page.get_by_role("textbox", name="Message").press("ArrowUp")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    peer.say("turn", **line(4, "model", "Those are small."))
    peer.say("turn_complete", turn=4, usage=None)
    expect(message(page, 3).get_by_role("button", name="Edit message")).to_be_visible()


def test_what_was_withdrawn_is_folded_when_the_page_is_loaded_again_and_found_all_the_same(page: Page) -> None:
    withdrawn = [line(1, "user", QUESTION) | {"withdrawn": True}, line(2, "model", ANSWER) | {"withdrawn": True}]
    opened(page, *withdrawn, line(3, "user", REWRITTEN) | {"replaces": 1}, line(4, "model", "The same."))
    expect(message(page, 2)).to_be_hidden()
    page.get_by_role("button", name="Find in this conversation").click()
    page.get_by_role("searchbox").fill("stretches")
    expect(message(page, 2)).to_be_visible()


def test_a_call_offers_neither(played_page: Page) -> None:
    Peer(played_page, "call", action="resumed", transcript=[line(1, "user", QUESTION), line(2, "model", ANSWER)])
    played_page.goto("/call/")
    played_page.get_by_role("button", name="Start the call").click()
    expect(played_page.get_by_role("button", name="Copy message")).to_have_count(2)
    expect(played_page.get_by_role("button", name="Edit message")).to_have_count(0)
    expect(played_page.get_by_role("button", name="Answer again")).to_have_count(0)
