"""The operator's pages about energy."""

from __future__ import annotations

import datetime
import uuid

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from energy import ledger
from energy.levels import Mode
from energy.models import EnergyChange, EnergyState, LiveSlot, ModelQuota, Notice, Persona
from energy.quota import Refusal
from tests.energy.conftest import NOON

pytestmark = pytest.mark.django_db

PAGES = ("energystate", "energychange", "modelquota", "liveslot", "persona")


@pytest.fixture
def operator(client: Client, sam: User) -> Client:
    client.force_login(sam)
    return client


def make_rows(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        user = User.objects.create(username=f"user-{number}")
        EnergyState.objects.create(user=user, mode="call", level=1)
        EnergyChange.objects.create(user=user, mode="call", previous=2, level=1, word="low", reason="manual", at=NOON)
        ledger.note_refusal(f"model-{number}", Refusal("per day"), NOON)
        LiveSlot.objects.create(holder=uuid.uuid4(), user=user, mode="call", owner="worker", granted_at=NOON)
        Notice.objects.create(
            persona=Persona.objects.create(slug=f"p-{number}", name="P"),
            mode="call",
            level=2,
            occasion="lower",
            text="t",
        )


@pytest.mark.parametrize("page", PAGES)
def test_a_list_asks_the_database_as_often_for_many_rows_as_for_few(
    page: str, operator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_rows(2)
    with django_assert_max_num_queries(50) as few:
        assert operator.get(f"/admin/energy/{page}/").status_code == 200
    make_rows(8, first=2)
    with django_assert_max_num_queries(len(few.captured_queries)):
        assert operator.get(f"/admin/energy/{page}/").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_strangers_way_in_is_closed(page: str, client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(f"/admin/energy/{page}/").status_code == 302


def test_an_operator_forgets_that_a_model_is_spent(operator: Client) -> None:
    ledger.note_refusal("gemini-3.8-live", Refusal("per day"), NOON)
    row = ModelQuota.objects.get()
    done = operator.post(
        "/admin/energy/modelquota/", {"action": "forget_quota", "_selected_action": [row.pk]}, follow=True
    )
    assert "1 models are tried again." in done.content.decode()
    assert not ledger.states_of(["gemini-3.8-live"])["gemini-3.8-live"].is_spent


def test_an_operator_resets_the_energy_of_a_user(operator: Client, alice: User, bob: User) -> None:
    states = [EnergyState.objects.create(user=user, mode=Mode.CALL, level=1) for user in (alice, bob)]
    operator.post("/admin/energy/energystate/", {"action": "reset_energy", "_selected_action": [states[0].pk]})
    assert list(EnergyState.objects.order_by("pk").values_list("level", flat=True)) == [3, 1]
    change = EnergyChange.objects.get()
    assert (change.user, change.previous, change.level, change.reason) == (alice, 1, 3, "manual")


def test_an_operator_edits_what_a_persona_says(operator: Client) -> None:
    persona = Persona.objects.create(slug="mine", name="Mine")
    notice = Notice.objects.create(persona=persona, mode="call", level=2, occasion="lower", text="old")

    def save(text: str) -> str:
        fields = {
            **{"name": "Mine", "slug": "mine", "notices-TOTAL_FORMS": "1", "notices-INITIAL_FORMS": "1"},
            **{"notices-0-id": notice.pk, "notices-0-persona": persona.pk, "notices-0-mode": "call"},
            **{"notices-0-level": "2", "notices-0-occasion": "lower", "notices-0-text": text},
        }
        return operator.post(f"/admin/energy/persona/{persona.pk}/change/", fields, follow=True).content.decode()

    assert "{user} means nothing here" in save("Hello {user}").replace("&#x27;", "'")
    save("Now at {word}.")
    notice.refresh_from_db()
    assert notice.text == "Now at {word}."


def test_nothing_that_was_found_out_can_be_changed_by_hand(operator: Client, alice: User) -> None:
    make_rows(1)
    for page, row in (("energychange", EnergyChange), ("modelquota", ModelQuota), ("liveslot", LiveSlot)):
        assert operator.get(f"/admin/energy/{page}/add/").status_code == 403
        pk = row._default_manager.get().pk
        text = operator.get(f"/admin/energy/{page}/{pk}/change/").content.decode()
        assert 'name="_save"' not in text


def test_how_long_somebody_talks_is_shown(operator: Client, alice: User) -> None:
    now = datetime.datetime.now(tz=datetime.UTC)
    began = now - datetime.timedelta(minutes=5)
    LiveSlot.objects.create(holder=uuid.uuid4(), user=alice, mode="call", owner="w", granted_at=began)
    with time_machine.travel(now, tick=False):
        assert "0:05:00" in operator.get("/admin/energy/liveslot/").content.decode()
