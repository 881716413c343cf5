"""Where a model is served, by its name."""

import pytest

from energy.levels import Kind, Seeding, UnknownModel, profile_of
from energy.places import DEVELOPER_API, Place, id_of, place_of, settled
from energy.prices import parse_prices
from energy.usage import TurnTokens

MODEL = "gemini-3.8-live"


@pytest.mark.parametrize(
    ("written", "by_default_there", "kept"),
    [
        (MODEL, False, MODEL),
        (f"developer:{MODEL}", True, MODEL),
        (MODEL, True, f"vertex@us-central1:{MODEL}"),
        (f"vertex:{MODEL}", False, f"vertex@us-central1:{MODEL}"),
        (f"vertex@europe-west4:{MODEL}", False, f"vertex@europe-west4:{MODEL}"),
        ("nobody:knows", True, "nobody:knows"),
    ],
)
def test_a_name_is_kept_with_its_region_or_bare(written: str, by_default_there: bool, kept: str) -> None:
    assert settled(written, "us-central1", is_there_by_default=by_default_there) == kept
    assert settled(kept, "us-east5", is_there_by_default=False) == kept


def test_a_name_tells_its_place_and_what_the_provider_calls_it() -> None:
    assert place_of(MODEL) == DEVELOPER_API
    assert place_of(f"vertex@europe-west4:{MODEL}") == Place(True, "europe-west4")
    assert place_of(f"vertex:{MODEL}") == Place(True)
    assert {id_of(name) for name in (MODEL, f"vertex:{MODEL}", f"vertex@us-east5:{MODEL}")} == {MODEL}


def test_a_model_on_agent_platform_is_talked_with_as_what_it_is_but_for_what_is_not_there() -> None:
    here, there = profile_of(MODEL), profile_of(f"vertex@us-central1:{MODEL}")
    assert (here.seeding, there.seeding) == (Seeding.HISTORY, Seeding.INSTRUCTION)
    assert (here.handle_hours, there.handle_hours) == (None, 24)
    assert there.prefix == here.prefix
    native = profile_of("vertex@us-central1:gemini-live-2.5-flash-native-audio")
    assert native.silence_before_end_ms, "nothing else tells that side of the end of the microphone"
    turns = profile_of("vertex@global:gemini-3.8-flash")
    assert (turns.kind, turns.seeding, turns.cache_from_tokens) == (Kind.TURNS, Seeding.HISTORY, 2_048)
    with pytest.raises(UnknownModel, match="vertex:gpt"):
        profile_of("vertex:gpt")


def test_a_price_is_for_a_model_wherever_it_is_unless_there_is_one_for_the_place() -> None:
    prices = parse_prices('{"gemini-3.8-live": {"text_in": 1}, "vertex:gemini-3.8": {"text_in": 2}}')
    tokens = TurnTokens(input={"TEXT": 1_000})
    assert prices.cost_micro_usd(MODEL, tokens) == 1_000
    assert prices.cost_micro_usd(f"vertex@us-central1:{MODEL}", tokens) == 2_000
    assert parse_prices('{"gemini-3.8-live": {"text_in": 1}}').cost_micro_usd(f"vertex:{MODEL}", tokens) == 1_000
