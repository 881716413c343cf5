"""Agent Platform in rows and checks: whose a handle is, whose a quota is, and what has to be set."""

from __future__ import annotations

import datetime

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from energy import ledger
from energy.ladders import ladder_of, models_for_tokens
from energy.levels import Mode
from energy.quota import Refusal
from sessions_app import services
from sessions_app.auth_tokens.service import rules_of_the_server
from sessions_app.auth_tokens.terms import WishRefused, read_wish
from sessions_app.checks import check_agent_platform, check_api_key, check_tokens_for_users
from sessions_app.models import ResumptionHandle
from tests.sessions_app.test_services import ask_for

HERE = "gemini-3.8-live"
THERE = "vertex@us-central1:gemini-3.8-live"
ELSEWHERE = "vertex@europe-west4:gemini-3.8-live"
EXHAUSTED = Refusal("Resource exhausted. Please try again later.")


@pytest.fixture(autouse=True)
def project(settings: Settings) -> None:
    settings.GOOGLE_CLOUD_PROJECT = "holdline"


@pytest.mark.django_db
def test_a_handle_of_agent_platform_is_of_its_project_and_good_for_a_day(alice: User, settings: Settings) -> None:
    request = ask_for(alice)
    opening = services.open_session(request, THERE, "worker:1")
    services.save_handle(request, opening.session, "h-1", THERE, "made", 7, 1)
    kept = ResumptionHandle.objects.get()
    assert kept.expires_at - kept.issued_at == datetime.timedelta(hours=24)
    again = services.open_session(request, THERE, "worker:1")
    assert (again.handle, again.handle_model) == ("h-1", THERE)
    settings.GOOGLE_CLOUD_PROJECT = "another"
    assert services.open_session(request, THERE, "worker:1").handle is None


@pytest.mark.django_db
def test_a_handle_of_the_developer_api_outlives_a_new_key_of_its_project(alice: User, settings: Settings) -> None:
    request = ask_for(alice)
    opening = services.open_session(request, HERE, "worker:1")
    services.save_handle(request, opening.session, "h-1", HERE, "made", 7, 1)
    settings.GEMINI_API_KEY, settings.GOOGLE_CLOUD_PROJECT = "a-new-key", "another"
    assert services.open_session(request, HERE, "worker:1").handle == "h-1"
    kept = ResumptionHandle.objects.get()
    assert kept.expires_at - kept.issued_at == datetime.timedelta(hours=settings.HANDLE_VALID_HOURS)


@pytest.mark.django_db
def test_the_end_of_a_session_gives_its_handle_the_time_that_its_provider_has(alice: User) -> None:
    request = ask_for(alice)
    opening = services.open_session(request, THERE, "worker:1")
    services.save_handle(request, opening.session, "h-1", THERE, "made", 7, 1)
    services.finish_session(opening.conversation, opening.session, "left", conversation_over=False)
    assert ResumptionHandle.objects.get().expires_at > timezone.now() + datetime.timedelta(hours=23)


@pytest.mark.django_db
def test_quota_is_spent_for_a_project_in_a_region_of_a_provider(settings: Settings) -> None:
    now = timezone.now()
    ledger.note_refusal(THERE, EXHAUSTED, now)
    states = ledger.states_of([HERE, THERE, ELSEWHERE])
    assert {model: state.is_spent for model, state in states.items()} == {HERE: False, THERE: True, ELSEWHERE: False}
    assert len(ledger.projects_of([HERE, THERE, ELSEWHERE])) == 3
    settings.GOOGLE_CLOUD_PROJECT = "another"
    assert not ledger.states_of([THERE])[THERE].is_spent
    settings.GOOGLE_CLOUD_PROJECT, settings.GEMINI_API_KEY = "holdline", "a-new-key"
    assert ledger.states_of([THERE])[THERE].is_spent


@pytest.mark.django_db
def test_tokens_are_for_models_of_the_developer_api_alone(settings: Settings) -> None:
    turns = "vertex@global:gemini-3.8-flash"
    settings.ENERGY_LADDERS = {mode: [HERE, THERE, "gemini-3.8-flash", turns] for mode in ("call", "text")}
    assert models_for_tokens() == (HERE,)
    settings.GEMINI_DIAL_WITH_TOKENS, settings.GEMINI_API_KEY = True, ""
    assert ladder_of(Mode.CALL).models == (HERE, THERE, turns)


def test_whoever_asks_for_a_token_where_only_agent_platform_is_talked_with_is_told_so(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {mode: [THERE, "gemini-3.8-flash"] for mode in ("call", "text")}
    settings.EPHEMERAL_TOKENS = True
    with pytest.raises(WishRefused, match="No model of this server takes tokens") as refused:
        read_wish({}, rules_of_the_server())
    assert (refused.value.code, refused.value.is_forbidden) == ("no_model", True)
    assert [message.id for message in check_tokens_for_users()] == ["holdline.W312"]
    settings.ENERGY_LADDERS = {mode: [THERE, HERE] for mode in ("call", "text")}
    assert check_tokens_for_users() == []
    assert read_wish({}, rules_of_the_server()).model == HERE


@pytest.mark.parametrize(
    ("models", "values", "ids"),
    [
        ([THERE], {}, []),
        ([HERE], {"GOOGLE_CLOUD_PROJECT": ""}, ["W301"]),
        ([THERE], {"GOOGLE_CLOUD_PROJECT": ""}, ["E308"]),
        (["vertex:gemini-3.8-live"], {}, ["E309"]),
        (["vertex@global:gemini-3.8-live"], {}, ["W311"]),
        (["vertex@global:gemini-3.8-flash"], {}, []),
        ([THERE], {"GOOGLE_CLOUD_ACCESS_TOKEN": "ya29"}, ["W310"]),
        ([THERE], {"GOOGLE_CLOUD_ACCESS_TOKEN": "ya29", "GOOGLE_VERTEX_BASE_URL": "https://127.0.0.1:1"}, []),
        ([HERE, THERE], {}, ["W301"]),
    ],
)
def test_what_is_missing_for_agent_platform_is_said(
    settings: Settings, models: list[str], values: dict[str, str], ids: list[str]
) -> None:
    settings.ENERGY_LADDERS = {"call": models, "text": models}
    settings.GEMINI_API_KEY = ""
    for name, value in values.items():
        setattr(settings, name, value)
    messages = [*check_api_key(), *check_agent_platform()]
    assert all(message.hint for message in messages)
    assert [str(message.id).removeprefix("holdline.") for message in messages] == ids
