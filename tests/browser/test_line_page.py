"""The operator's page in a browser: for everybody, on a phone at night and with large letters, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import in_each_theme_and_size, overflow_px, violations
from tests.services.web import WebServer

MAKE_ROWS = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from energy.ledger import project_of_the_key
from energy.models import ModelQuota
from sessions_app.models import Conversation, SessionEvent
now = timezone.now()
conversation = Conversation.objects.create(user=User.objects.get(username="alice"), mode="text")
for kind, data in (
    ("connected", {"action": "resumed", "gap_ms": 340, "cause": "go-away"}),
    ("connected", {"action": "resumed", "gap_ms": 4200, "cause": "network"}),
    ("connection_lost", {"reason": "network"}),
    ("level_lowered", {"model": "a-model-with-quite-a-long-name-" * 3}),
    ("lost", {"ms": 800, "messages": 1}),
):
    for at in (now, now + timedelta(hours=1)):  # midnight may come before the page is opened
        SessionEvent.objects.create(conversation=conversation, kind=kind, data=data, at=at)
ModelQuota.objects.get_or_create(
    project=project_of_the_key(), model="a-model-that-nobody-uses-" * 3,
    defaults={"kind": "day", "spent_since": now, "resets_at": now, "text": "You exceeded your quota. " * 5},
)
"""


@pytest.fixture
def open_page(
    web: WebServer, open_context: Callable[..., BrowserContext], sign_in: Callable[..., Page]
) -> Callable[..., Page]:
    """The operator's page, with something in each part."""

    def open_page(size: dict[str, int], theme: str) -> Page:
        web.shell(MAKE_ROWS)
        page = sign_in(open_context(web, color_scheme=theme, viewport=size, reduced_motion="reduce"), "sam")
        page.goto("/admin/")
        page.get_by_role("link", name="The line now").click()
        return page

    return open_page


@in_each_theme_and_size
def test_the_operators_page_can_be_used_by_everybody(
    open_page: Callable[..., Page], theme: str, size: dict[str, int]
) -> None:
    page = open_page(size, theme)
    expect(page.get_by_role("img", name="Gaps of the day")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("region", name="Table of gaps").get_by_text("4.2 seconds").first).to_be_visible()
    # What is above and beside it is Django's.
    assert violations(page, "#content") == []
    assert overflow_px(page) <= 0
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflow_px(page) <= 0
    page.get_by_role("link", name="planned", exact=False).first.click()
    expect(page.get_by_role("heading", name="Select session event to view")).to_be_visible()
