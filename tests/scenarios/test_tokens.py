"""A client of a user's own gets a token of Holdline and talks with it; what is refused is refused in clear words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from google import genai
from google.genai import errors, types
from pytest_django import Settings

from sessions_app.accounts import access_keys
from sessions_app.models import EphemeralToken, Throttle
from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning"),
]

BEST, OTHER = "gemini-3.8-live", "gemini-3.8-live-extended-thinking"
API = "/api/tokens/"


@pytest.fixture(autouse=True)
def provider(emulator: Emulator, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are switched on, and the SDK finds the emulator where the environment says."""
    settings.EPHEMERAL_TOKENS = True
    settings.GEMINI_API_KEY = "test-key"
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def post(client: Client, path: str = API, body: object = None, **headers: Any) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body or {})
    return client.post(path, text, "application/json", **headers)


def error_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def mint(client: Client, **asked: Any) -> dict[str, Any]:
    response = post(client, body=asked)
    assert response.status_code == 201, response.content
    assert "no-store" in response["Cache-Control"]
    answer: dict[str, Any] = response.json()
    return answer


async def talk(token: str, model: str = BEST, **config: Any) -> str:
    """What is answered to a session of one sentence."""
    client = genai.Client(api_key=token, http_options={"api_version": "v1alpha"})
    asked = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}} | config
    answer = ""
    async with (
        asyncio.timeout(PATIENCE_S),
        client.aio.live.connect(model=model, config=types.LiveConnectConfig.model_validate(asked)) as session,
    ):
        await session.send_realtime_input(text="My code word is PLUM-42.")
        async for message in session.receive():
            if message.server_content and message.server_content.output_transcription:
                answer += message.server_content.output_transcription.text or ""
    return answer


def refusal_of(talk: Any) -> str:
    with pytest.raises(errors.APIError) as refused:
        asyncio.run(talk)
    return str(refused.value)


# -- a token that is used ----------------------------------------------------------------------------------------------


def test_a_token_begins_one_session_and_no_second(browser: Client) -> None:
    minted = mint(browser)
    assert minted["api_version"] == "v1alpha"
    assert "PLUM-42" in asyncio.run(talk(minted["token"]))
    assert "The ephemeral token was used as often as it may be." in refusal_of(talk(minted["token"]))


def test_a_token_of_two_uses_begins_two(browser: Client) -> None:
    token = mint(browser, uses=2)["token"]
    for _ in range(2):
        asyncio.run(talk(token))
    assert "used as often as it may be" in refusal_of(talk(token))


def test_a_session_ends_with_its_token_and_none_begins_with_it(browser: Client, emulator: Emulator) -> None:
    token = mint(browser, expire_in_s=600, new_session_expire_in_s=600)["token"]
    assert "The ephemeral token has expired." in refusal_of(listen(token, lambda: emulator.forward(600)))
    assert "The ephemeral token has expired." in refusal_of(listen(token))


async def listen(token: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Open a session, and say nothing. `meanwhile` is done once it is open."""
    client = genai.Client(api_key=token, http_options={"api_version": "v1alpha"})
    config = types.LiveConnectConfig(response_modalities=[types.Modality.AUDIO])
    async with asyncio.timeout(PATIENCE_S), client.aio.live.connect(model=BEST, config=config) as session:
        await asyncio.to_thread(meanwhile)
        async for _ in session.receive():
            pass


def test_a_token_that_is_too_old_to_begin_says_so(browser: Client, emulator: Emulator) -> None:
    token = mint(browser, uses=2, new_session_expire_in_s=600)["token"]
    asyncio.run(talk(token))
    emulator.forward(600)
    assert "starts no new session after its new_session_expire_time" in refusal_of(talk(token))


def test_a_foreign_model_is_refused_when_it_is_asked_for_and_overruled_afterwards(
    browser: Client, emulator: Emulator
) -> None:
    refused = post(browser, body={"model": "gemini-3.8-flash"})
    assert error_of(refused) == (403, "foreign_model")
    assert f"Tokens are made for {BEST}, {OTHER} alone." in refused.json()["error"]["text"]
    token = mint(browser, model=OTHER)["token"]
    asyncio.run(talk(token, BEST))
    assert emulator.entries("token_overruled")[0]["fields"] == ["model"]
    assert emulator.entries("opened")[0]["model"] == OTHER


def test_what_the_operator_locks_is_refused_when_it_is_asked_for_and_overruled_afterwards(
    browser: Client, emulator: Emulator, settings: Settings
) -> None:
    settings.EPHEMERAL_TOKEN_LOCKS = ["instruction"]
    settings.ASSISTANT_INSTRUCTION = "The user's name is Ada."
    assert error_of(post(browser, body={"config": {"instruction": "Sing."}})) == (403, "locked_field")
    minted = mint(browser)
    assert minted["locked_fields"] == ["instruction"]
    tools: list[dict[str, Any]] = [{"google_search": {}}]
    asyncio.run(talk(minted["token"], system_instruction="The user's name is Bo.", tools=tools))
    overruled = emulator.entries("token_overruled")[0]["fields"]
    assert {"tools", "systemInstruction.parts"} <= set(overruled)


def test_what_was_given_and_what_was_locked_is_held_fast_whoever_has_the_token(
    browser: Client, emulator: Emulator
) -> None:
    minted = mint(browser, config={"voice": "Puck"}, lock=["temperature"])
    assert minted["locked_fields"] == ["temperature", "voice"]
    voice = {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}}
    asyncio.run(talk(minted["token"], speech_config=voice, temperature=1.5, system_instruction="Be calm."))
    assert set(emulator.entries("token_overruled")[0]["fields"]) == {
        "generationConfig.speechConfig",
        "generationConfig.temperature",
    }


def test_a_model_that_must_be_told_how_hard_to_think_is_told_by_the_token(browser: Client, settings: Settings) -> None:
    thinking = "gemini-3.8-live-extended-thinking"
    settings.ENERGY_LADDERS = {"call": [thinking], "text": [BEST]}
    assert "PLUM-42" in asyncio.run(talk(mint(browser)["token"], thinking))


# -- asking for one ----------------------------------------------------------------------------------------------------


def test_tokens_are_listed_renewed_and_forgotten_and_never_shown_again(browser: Client) -> None:
    first = mint(browser, uses=3)
    second = post(browser, f"{API}{first['id']}/renew/").json()
    assert second["token"] != first["token"]
    listing = browser.get(API)
    assert [row["id"] for row in listing.json()["tokens"]] == [second["id"]]
    assert listing.json()["status"]["has_token"]
    assert listing.json()["left_today"] == 98
    assert browser.get(f"{API}{second['id']}/").json()["uses"] == 3
    assert browser.delete(f"{API}{second['id']}/").status_code == 204
    assert error_of(browser.get(f"{API}{second['id']}/")) == (404, "no_such_token")
    assert error_of(post(browser, f"{API}{second['id']}/renew/")) == (404, "no_such_token")
    assert browser.get(API).json()["status"]["has_token"] is False
    for secret in (first["token"], second["token"]):
        assert secret not in listing.content.decode()
        assert secret not in str(list(EphemeralToken.objects.values()))


def test_a_program_with_an_access_key_gets_one_and_the_list_says_by_which(browser: Client, alice: User) -> None:
    key = access_keys.make(alice, "laptop").value
    program = Client(headers={"Authorization": f"Bearer {key}"})
    assert mint(program)["access_key"] == "laptop"
    assert mint(browser)["access_key"] is None
    assert [row["access_key"] for row in program.get(API).json()["tokens"]] == [None, "laptop"]


def test_others_have_nothing_of_it(browser: Client, bob: User) -> None:
    minted = mint(browser)
    stranger = Client()
    stranger.force_login(bob)
    assert stranger.get(API).json()["tokens"] == []
    for answer in (stranger.get, stranger.delete):
        assert error_of(answer(f"{API}{minted['id']}/")) == (404, "no_such_token")
    assert error_of(post(stranger, f"{API}{minted['id']}/renew/")) == (404, "no_such_token")


def test_nobody_gets_one_without_being_logged_in_and_none_where_it_is_switched_off(
    browser: Client, settings: Settings
) -> None:
    assert error_of(post(Client())) == (401, "not_logged_in")
    settings.EPHEMERAL_TOKENS = False
    for answer in (browser.get(API), post(browser)):
        assert error_of(answer) == (403, "switched_off")


def test_a_page_of_another_site_gets_none(alice: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert error_of(post(careful)) == (403, "forged")
    careful.get("/account/")
    token = careful.cookies["csrftoken"].value
    assert error_of(post(careful, HTTP_X_CSRFTOKEN=token, HTTP_ORIGIN="https://elsewhere.example")) == (403, "forged")
    assert post(careful, HTTP_X_CSRFTOKEN=token).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "no_json"),
        (b"\xff", 400, "no_json"),
        ("[" * 50_000, 400, "no_json"),
        (" " * 70_000, 413, "too_large"),
        ("[]", 400, "bad_value"),
        ({"uses": 0}, 400, "bad_value"),
        ({"tools": []}, 400, "unknown_field"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(browser: Client, body: object, status: int, code: str) -> None:
    answer = post(browser, body=body)
    assert error_of(answer) == (status, code)
    assert answer.json()["error"]["text"].endswith(".")


def test_only_some_methods_are_answered(browser: Client) -> None:
    answer = browser.put(API)
    assert error_of(answer) == (405, "bad_method")
    assert answer["Allow"] == "GET, HEAD, POST"


def test_who_has_had_their_share_is_told_when_there_is_more(browser: Client, settings: Settings) -> None:
    settings.EPHEMERAL_TOKENS_PER_DAY = 1
    mint(browser)
    answer = post(browser)
    assert error_of(answer) == (429, "day_spent")
    assert 86_000 < int(answer["Retry-After"]) <= 86_400


def test_who_asks_too_often_has_to_wait_also_when_nothing_comes_of_it(browser: Client) -> None:
    answers = [error_of(post(browser, body={"uses": 0})) for _ in range(21)]
    assert answers[-1] == (429, "too_many")
    assert answers[0] == (400, "bad_value")
    assert Throttle.objects.get(kind="token").user is not None


@pytest.mark.parametrize(
    ("key", "address", "status", "code"),
    [
        ("bad-key", "", 502, "provider_refuses"),
        ("test-key", "https://127.0.0.1:9", 503, "provider_unavailable"),
        ("", "", 503, "provider_unavailable"),
    ],
    ids=["the key is wrong", "nobody is there", "there is no key"],
)
def test_what_the_provider_does_not_make_is_an_error_and_no_row(
    browser: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    address: str,
    status: int,
    code: str,
) -> None:
    settings.GEMINI_API_KEY = key
    if address:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", address)
    assert error_of(post(browser)) == (status, code)
    assert not EphemeralToken.objects.exists()


def test_operators_see_who_had_one_and_no_token(browser: Client, sam: User) -> None:
    minted = mint(browser)
    operator = Client()
    operator.force_login(sam)
    pages = [
        operator.get(f"/admin/sessions_app/ephemeraltoken/{path}").content.decode()
        for path in ("", f"{minted['id']}/change/")
    ]
    assert all("alice" in page and minted["name"] in page and minted["token"] not in page for page in pages)
    chosen = {"action": "forget_tokens", "_selected_action": [minted["id"]]}
    operator.post("/admin/sessions_app/ephemeraltoken/", chosen)
    assert browser.get(API).json()["tokens"] == []
