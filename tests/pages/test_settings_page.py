"""The page of settings: everything in one form, what is wrong at its field, and a way back from what was saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from energy.levels import Mode
from energy.models import Persona
from sessions_app import lines
from sessions_app.lines import Owner
from sessions_app.models import Conversation
from sessions_app.user_settings import service
from sessions_app.user_settings.appearance import theme_in_browser
from sessions_app.user_settings.page_fields import form_of, groups_of
from sessions_app.user_settings.terms import NAMES, UserSettings

pytestmark = pytest.mark.django_db


def defaults() -> UserSettings:
    return service.rules_of_the_server().defaults


def send(client: Client, **changes: str | None) -> str:
    """Save the form with these changes; None for a switch that is switched off. Gives the page that comes of it."""
    form = {name: value for name, value in (form_of(defaults()) | changes).items() if value is not None}
    return client.post("/settings/", form, follow=True).content.decode()


def counts(user: User) -> UserSettings:
    return service.settings_for(user.pk)


def press(client: Client, page: str, path: str) -> str:
    """Press a button of the page that leads there."""
    form = re.search(rf'<form method="post" action="{path}">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    return client.post(path, fields, follow=True).content.decode()


def test_a_visitor_is_asked_to_log_in(client: Client) -> None:
    assert client.get("/settings/").headers["Location"] == "/accounts/login/?next=/settings/"


def test_every_setting_has_a_field(alice: User, client: Client) -> None:
    client.force_login(alice)
    page = client.get("/settings/").content.decode()
    assert set(NAMES) <= set(re.findall(r'name="(\w+)"', page))
    assert 'href="/settings/" aria-current="page"' in page


def test_what_is_saved_counts_and_is_shown_again(alice: User, client: Client) -> None:
    client.force_login(alice)
    page = send(client, voice="Puck", instruction="Talk like\r\na <b>pirate</b>.", captions=None, silence_ms=" 900 ")
    assert "Saved." in page
    assert '<option value="Puck" selected>' in page
    assert "Talk like\na &lt;b&gt;pirate&lt;/b&gt;." in page
    assert counts(alice).silence_ms == 900
    assert not counts(alice).captions
    call = client.get("/call/").content.decode()
    assert 'data-wanted-captions="off"' in call


def test_an_old_page_does_not_take_back_what_was_saved_on_another_one(alice: User, client: Client) -> None:
    client.force_login(alice)
    shown = re.findall(r'name="revision" value="(\d+)"', client.get("/settings/").content.decode())[0]
    send(client, voice="Puck", revision=shown)
    page = send(client, theme="dark", revision=shown)
    assert "Nothing was saved yet" in page
    assert 'value="dark" checked' in page, "what was entered"
    assert (counts(alice).voice, counts(alice).theme) == ("Puck", "device")
    newest = re.findall(r'name="revision" value="(\d+)"', page)[0]
    assert "Saved." in send(client, theme="dark", revision=newest)
    assert (counts(alice).voice, counts(alice).theme) == ("Kore", "dark"), "as the page said"


def test_a_form_with_a_mistake_is_as_old_as_it_was_when_it_is_sent_again(alice: User, client: Client) -> None:
    client.force_login(alice)
    send(client, voice="Puck", revision="0")
    page = send(client, silence_ms="soon", revision="0")
    form = page.partition("data-settings")[2]
    assert re.findall(r'name="revision" value="(\d+)"', form)[0] == "0"
    assert "Nothing was saved yet" in send(client, silence_ms="900", revision="0")


def test_what_a_page_could_not_ask_for_stays_as_it_was_when_the_operator_has_let_go_of_it(
    alice: User, client: Client, settings: Settings
) -> None:
    client.force_login(alice)
    send(client, voice="Puck")
    settings.USER_SETTINGS_LOCKED = ["captions", "voice"]
    assert 'name="held" value="captions voice"' in client.get("/settings/").content.decode()
    settings.USER_SETTINGS_LOCKED = []
    assert "Saved." in send(client, captions=None, voice=None, theme="dark", held="captions voice")
    assert (counts(alice).captions, counts(alice).voice, counts(alice).theme) == (True, "Puck", "dark")


def test_where_there_is_one_persona_the_page_asks_for_none_and_can_be_saved(alice: User, client: Client) -> None:
    Persona.objects.filter(is_default=False).delete()
    client.force_login(alice)
    assert 'name="persona"' not in client.get("/settings/").content.decode()
    assert "Saved." in send(client, persona=None, theme="dark")
    assert counts(alice).theme == "dark"


def test_what_is_wrong_is_said_at_its_field_and_nothing_of_the_rest_is_lost(alice: User, client: Client) -> None:
    client.force_login(alice)
    page = send(client, silence_ms="soon", voice="Puck", captions=None)
    assert counts(alice) == defaults()
    assert "Nothing was saved. One field needs another look" in page
    field = re.search(r'<input[^>]*name="silence_ms"[^>]*>', page)
    assert field is not None
    assert 'value="soon"' in field[0]
    assert 'aria-describedby="silence_ms-help silence_ms-error" aria-invalid="true"' in field[0]
    assert "This is a whole number from 100 to 3,000." in page
    assert '<option value="Puck" selected>' in page
    switch = re.search(r'<input[^>]*name="captions"[^>]*>', page)
    assert switch is not None
    assert "checked" not in switch[0]


def test_one_click_undoes_what_was_saved(alice: User, client: Client) -> None:
    client.force_login(alice)
    send(client, voice="Puck")
    page = send(client, voice="Zephyr", theme="dark")
    assert 'data-theme="dark"' in page
    page = press(client, page, "/settings/undo/")
    assert "Undone." in page
    assert counts(alice).voice == "Puck"
    assert "data-theme" not in page
    assert "/settings/undo/" not in page


def test_an_undo_from_a_page_that_is_out_of_date_undoes_nothing(alice: User, client: Client) -> None:
    client.force_login(alice)
    old = send(client, voice="Puck")
    send(client, voice="Zephyr")
    assert "Nothing was undone" in press(client, old, "/settings/undo/")
    assert counts(alice).voice == "Zephyr"
    for revision in ("", "x", "9" * 400):
        client.post("/settings/undo/", {"revision": revision})
    assert counts(alice).voice == "Zephyr"


def test_everything_goes_back_to_the_defaults_and_that_can_be_undone(alice: User, client: Client) -> None:
    client.force_login(alice)
    page = press(client, send(client, voice="Puck"), "/settings/reset/")
    assert counts(alice) == defaults()
    assert "Everything is as this server has it by default." in page
    press(client, page, "/settings/undo/")
    assert counts(alice).voice == "Puck"


def test_saving_what_is_there_already_says_so(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert "Nothing was changed." in send(client)


def test_what_the_operator_holds_fast_is_shown_and_cannot_be_sent(
    alice: User, client: Client, settings: Settings
) -> None:
    settings.USER_SETTINGS_LOCKED = ["instruction", "voice"]
    settings.HISTORY_DAYS = 30
    client.force_login(alice)
    page = client.get("/settings/").content.decode()
    assert page.count("Set by this server") == 2
    assert 'name="instruction"' not in page
    assert "30, as this server has it" in page
    send(client, instruction="Be rude.", voice="Puck", theme="light")
    assert (counts(alice).instruction, counts(alice).voice, counts(alice).theme) == ("", "Kore", "light")


def test_what_a_change_means_for_a_call_that_goes_on_is_said_before_and_after_it(alice: User, client: Client) -> None:
    client.force_login(alice)
    assert "new line" not in client.get("/settings/").content.decode()
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    hold = lines.take(alice, Mode.CALL, conversation.pk, Owner())
    session = conversation.live_sessions.create(page_id=conversation.pk, model="m", owner="host:1")
    lines.note_session(hold, session.pk)
    page = client.get("/settings/").content.decode()
    assert "Your call will carry on with a new line; it keeps what was said." in page
    assert "Saved. Your call takes it over at the next pause." in send(client, voice="Puck")


def test_colours_chosen_in_a_browser_count_there_until_the_setting_changes() -> None:
    assert theme_in_browser("device", "") == "device"
    assert theme_in_browser("device", "dark.device") == "dark"
    assert theme_in_browser("light", "dark.device") == "light"
    for garbage in ("dark", ".device", "red.device", "dark.device.device", '"><script>.device'):
        assert theme_in_browser("device", garbage) == "device"


def test_a_visitor_has_the_operators_colours_or_those_chosen_in_the_browser(client: Client, settings: Settings) -> None:
    settings.USER_SETTINGS_DEFAULTS = ["theme=dark"]
    assert 'data-theme="dark"' in client.get("/accounts/login/").content.decode()
    client.cookies["theme"] = "light.dark"
    assert 'data-theme="light"' in client.get("/accounts/login/").content.decode()


def test_where_the_operator_holds_the_colours_fast_nobody_chooses_any(client: Client, settings: Settings) -> None:
    settings.USER_SETTINGS_LOCKED = ["theme"]
    client.cookies["theme"] = "dark.device"
    page = client.get("/").content.decode()
    assert "data-theme" not in page
    assert 'value="dark"' not in page


def test_saving_the_settings_ends_what_was_chosen_in_the_browser(alice: User, client: Client) -> None:
    client.force_login(alice)
    client.cookies["theme"] = "dark.device"
    assert 'data-theme="dark"' in client.get("/settings/").content.decode()
    assert "data-theme" not in send(client, voice="Puck")


def test_settings_are_those_of_their_user_alone(alice: User, bob: User, client: Client) -> None:
    client.force_login(alice)
    page = send(client, instruction="A secret of Alice", theme="dark")
    assert "A secret of Alice" in page
    client.force_login(bob)
    page = client.get("/settings/").content.decode()
    assert "A secret of Alice" not in page
    assert "data-theme" not in page


def test_groups_explain_each_field_by_what_is_there() -> None:
    rules = service.rules_of_the_server()
    groups = groups_of(form_of(rules.defaults), {"theme": "No."}, rules)
    fields: dict[str, Any] = {field.name: field for group in groups for field in group.fields}
    assert set(fields) == set(NAMES)
    assert fields["theme"].described_by == "theme-help theme-error"
    assert fields["silence_ms"].shown == "as the model does it"
    assert fields["voice"].shown == "Kore, firm"
