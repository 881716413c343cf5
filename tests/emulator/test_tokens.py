"""Ephemeral tokens: what they allow, what they hold fast, and how each refusal reads."""

import datetime as dt
from typing import Any

import pytest
from google.genai import errors, types

from emulator.texts import CATALOGUE, RefusedError
from emulator.tokens import TokenError, TokenStore
from tests.emulator.client import FLASH_3_1, LIVE_3_8, Wire, is_turn_complete, sdk, setup_for, text_turn, wire
from tests.services.emulator import Emulator

pytestmark = pytest.mark.filterwarnings("ignore::google.genai._common.ExperimentalWarning")  # given once a process

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
SETUP = {"model": "models/m", "generationConfig": {"temperature": 0.1}}


def refusal(name: str) -> Any:
    """Expects to be refused with this text."""
    return pytest.raises(RefusedError, match=CATALOGUE[name].text)


def test_a_token_without_a_mask_replaces_the_whole_set_up_but_the_handle() -> None:
    store = TokenStore()
    whole = store.create({"bidiGenerateContentSetup": SETUP}, NOW)
    asked = {"model": "models/other", "session_resumption": {"handle": "h"}}
    assert whole.constrain(asked) == SETUP
    assert whole.overruled(asked) == ["model", "sessionResumption"]
    resumable = store.create({"bidiGenerateContentSetup": SETUP | {"sessionResumption": {}}}, NOW)
    assert resumable.constrain(asked) == SETUP | {"sessionResumption": {"handle": "h"}}


def test_a_token_with_a_mask_locks_what_it_names_and_leaves_the_rest() -> None:
    setup = {"generationConfig": {"temperature": 0.1}}
    mask = "generationConfig.temperature,generationConfig.top_k,tools"
    token = TokenStore().create({"bidiGenerateContentSetup": setup, "fieldMask": mask}, NOW)
    asked = {"model": "models/other", "generation_config": {"temperature": 1, "topP": 3, "topK": 2}, "tools": [{}]}
    assert token.constrain(asked) == {"model": "models/other", "generationConfig": {"temperature": 0.1, "topP": 3}}
    assert token.overruled(asked) == ["generationConfig.temperature", "generationConfig.topK", "tools"]
    assert token.overruled({"generationConfig": {"temperature": 0.1}}) == []


def test_a_token_says_why_it_is_refused() -> None:
    store = TokenStore()
    token = store.create({}, NOW)
    later = store.create({}, NOW)
    store.use(token, NOW)
    with refusal("token used up"):
        store.use(token, NOW)
    with refusal("token starts no session"):
        store.use(later, NOW + dt.timedelta(seconds=60))
    assert store.find(later.name, NOW + dt.timedelta(minutes=29)) is later
    with refusal("token expired"):
        store.find(later.name, NOW + dt.timedelta(minutes=30))
    with refusal("key not valid"):
        store.find("auth_tokens/of-nobody", NOW)


def test_a_token_of_no_limit_is_never_used_up() -> None:
    store = TokenStore()
    token = store.create({"uses": 0}, NOW)
    for _ in range(100):
        store.use(token, NOW)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"uses": -1}, "uses must be"),
        ({"uses": "one"}, "uses must be"),
        ({"expireTime": "2026-11-21T21:00:00Z"}, "within the next 20 hours"),
        ({"newSessionExpireTime": "2026-11-20T00:00:00Z"}, "within the next 20 hours"),
        ({"expireTime": "soon"}, "Invalid time"),
        ({"model": "models/m"}, 'Unknown name "model"'),
        ({"bidiGenerateContentSetup": SETUP, "fieldMask": "model"}, "generationConfig.temperature is not in it"),
    ],
)
def test_what_cannot_be_made_is_refused(body: dict[str, Any], words: str) -> None:
    """A set-up that goes beyond its mask was refused with 400 (ai-shifu/ai-shifu PR 2759, September 2026)."""
    with pytest.raises(TokenError, match=words):
        TokenStore().create(body, NOW)


def constrained(emulator: Emulator, token: str, setup: dict[str, Any] | None = None) -> Any:
    """A connection with a token."""
    return wire(emulator, setup, version="v1alpha", method="BidiGenerateContentConstrained", key=token)


async def refused(connection: Wire, setup: dict[str, Any]) -> str:
    """Why a set-up is refused."""
    await connection.send({"setup": setup})
    return (await connection.closed())[1]


def minted(emulator: Emulator, **config: Any) -> str:
    """A token, by the SDK."""
    with sdk(emulator, version="v1alpha") as client:
        created = client.auth_tokens.create(config=types.CreateAuthTokenConfig(**config))
    assert created.name
    return created.name


async def test_a_token_opens_one_session_and_resumes_it(emulator: Emulator) -> None:
    token = minted(emulator, uses=1)
    async with constrained(emulator, token, setup_for(FLASH_3_1)) as one:
        await one.send(text_turn("My name is Bo."))
        await one.until(is_turn_complete)
        handle = (await one.receive())["sessionResumptionUpdate"]["newHandle"]
    async with constrained(emulator, token, setup_for(FLASH_3_1, sessionResumption={"handle": handle})):
        pass
    async with constrained(emulator, token) as another:
        assert await refused(another, setup_for(FLASH_3_1)) == CATALOGUE["token used up"].text


async def test_a_session_ends_when_its_token_expires(emulator: Emulator) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10)
    token = minted(emulator, expire_time=soon, new_session_expire_time=soon)
    async with constrained(emulator, token, setup_for(FLASH_3_1)) as one:
        emulator.forward(600)
        assert await one.closed() == (1007, CATALOGUE["token expired"].text)
    async with constrained(emulator, token) as late:
        assert await refused(late, setup_for(FLASH_3_1)) == CATALOGUE["token expired"].text


async def test_a_client_does_not_get_what_the_token_holds_fast_and_the_log_says_so(emulator: Emulator) -> None:
    """The service ignores it without a word (google-genai, `Tokens.create`)."""
    constraints = types.LiveConnectConstraints(model=FLASH_3_1)
    token = minted(emulator, live_connect_constraints=constraints, lock_additional_fields=[])
    async with constrained(emulator, token, setup_for(LIVE_3_8)):
        assert [connection["model"] for connection in emulator.connections()] == [FLASH_3_1]
    assert emulator.entries("token_overruled")[0]["fields"] == ["model"]


def test_a_token_that_cannot_be_made_is_an_error_of_the_api(emulator: Emulator) -> None:
    with pytest.raises(errors.ClientError, match="uses must be 0 or more"):
        minted(emulator, uses=-1)


def test_tokens_are_refused_or_come_late_on_demand_and_what_is_made_is_logged(emulator: Emulator) -> None:
    emulator.fault("refuse_minting", status=429, retry_after_s=7, count=1)
    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED") as limited:
        minted(emulator)
    assert "'retryDelay': '7s'" in str(limited.value.details)
    emulator.fault("refuse_minting", status=403, text="Not you.", count=1)
    with pytest.raises(errors.ClientError, match="PERMISSION_DENIED"):
        minted(emulator)
    emulator.fault("slow_minting", delay_s=0.01, count=1)
    minted(emulator, uses=3)
    assert [entry["uses"] for entry in emulator.entries("token_made")] == [3]


async def test_a_token_is_refused_at_the_dial_on_demand_and_then_taken(emulator: Emulator) -> None:
    token = minted(emulator, uses=1)
    emulator.fault("refuse_token", connection="all", text="token not yet")
    async with constrained(emulator, token) as early:
        assert await refused(early, setup_for(FLASH_3_1)) == CATALOGUE["token not yet"].text
    async with constrained(emulator, token, setup_for(FLASH_3_1)):
        pass


async def test_a_resume_is_a_use_on_demand(emulator: Emulator) -> None:
    token = minted(emulator, uses=1)
    async with constrained(emulator, token, setup_for(FLASH_3_1)) as one:
        await one.send(text_turn("My name is Bo."))
        await one.until(is_turn_complete)
        handle = (await one.receive())["sessionResumptionUpdate"]["newHandle"]
    emulator.fault("resume_uses_token", on=True)
    async with constrained(emulator, token) as another:
        again = setup_for(FLASH_3_1, sessionResumption={"handle": handle})
        assert await refused(another, again) == CATALOGUE["token used up"].text
