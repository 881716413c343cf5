"""Somebody's own account, in two browsers at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.services.cast import PASSWORD
from tests.services.web import WebServer

TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1"
)
NEW_PASSWORD = "quite-another-secret-2"


def log_in(context: BrowserContext, name: str, password: str = PASSWORD) -> Page:
    """A page of somebody who has logged in by the form, and so in a session of their own."""
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Your account")).to_be_visible()
    return page


def open_chat(page: Page) -> None:
    page.goto("/text/")
    expect(page.locator("html")).to_have_attribute("data-state", "live")


@pytest.fixture
def open_context_there(
    start_web: Callable[..., WebServer], open_context: Callable[..., BrowserContext]
) -> Callable[..., BrowserContext]:
    """Browsers in front of a server of their own: what logs out everywhere logs other tests out, too."""
    web = start_web()
    return lambda **options: open_context(web, **options)


def test_logging_another_browser_out_closes_what_it_has_open_and_says_so(
    web: WebServer, open_context: Callable[..., BrowserContext]
) -> None:
    tablet = log_in(open_context(web, user_agent=TABLET), "bob")
    open_chat(tablet)
    desk = log_in(open_context(web), "bob")
    desk.get_by_role("link", name="Your account").click()
    desk.get_by_role("button", name="Log out Safari on iPad").click()
    expect(desk.get_by_role("status")).to_contain_text("That browser is logged out")
    expect(desk.get_by_text("Safari on iPad")).to_have_count(0)
    expect(tablet.get_by_text("You were logged out, and your line was closed.")).to_be_visible()
    desk.goto("/text/")
    expect(desk.locator("html")).to_have_attribute("data-state", "live")


def test_a_new_password_closes_the_chat_of_another_tab_which_is_there_again_at_once(
    open_context_there: Callable[..., BrowserContext],
) -> None:
    context = open_context_there()
    chat = log_in(context, "alice")
    open_chat(chat)
    chat.get_by_placeholder("Write a message").fill("A thought that is not finished")
    account = context.new_page()
    account.goto("/account/password/")
    account.get_by_label("Your present password", exact=True).fill(PASSWORD)
    account.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    account.get_by_label("New password again", exact=True).fill(NEW_PASSWORD)
    # The chat waits a second for the new cookie, which a busy server sends later: time goes on when it is there.
    context.clock.install()
    context.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    with chat.expect_navigation():
        account.get_by_role("button", name="Change the password").click()
        expect(account.get_by_role("status")).to_contain_text("Your password was changed")
        context.clock.resume()
    expect(chat.locator("html")).to_have_attribute("data-state", "live")
    expect(chat.get_by_placeholder("Write a message")).to_have_value("A thought that is not finished")
    account.reload()
    expect(account.get_by_role("heading", name="Where you are logged in")).to_be_visible()


def test_what_was_refused_is_gone_to_and_described(page: Page) -> None:
    page.goto("/account/email/")
    page.get_by_label("E-mail address").fill("alice@example.org")
    page.get_by_label("Your password", exact=True).fill("wrong")
    page.get_by_role("button", name="Save").click()
    refused = page.get_by_label("Your password", exact=True)
    expect(refused).to_be_focused()
    expect(refused).to_have_accessible_description("This is not your password. Passwords are case-sensitive.")
