"""Models are dialled and asked where they are served."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.genai import types

from energy.places import DEVELOPER_API, Place
from sessions_app.live.machine.failures import History, Phase, Verdict, is_of_the_network, judge
from sessions_app.live.providers.accounts import CloudProject, client_for
from sessions_app.live.providers.by_place import UpstreamByPlace
from sessions_app.live.providers.gemini import GeminiUpstream, failure_of
from sessions_app.live.providers.turns.by_place import GenerationByPlace
from sessions_app.live.providers.turns.gemini_generation import GeminiGeneration
from sessions_app.live.providers.upstream import Setup, UpstreamFailed
from summarization.gemini import GeminiSummarizer
from summarization.prompts import summary_prompt
from summarization.summarizer import Refused
from summarization.summarizing import SummarizerByPlace
from tests.fakes.summarizer import FakeSummarizer
from tests.fakes.upstream import FakeUpstream

HERE = "gemini-3.8-live"
THERE = "vertex@us-central1:gemini-3.8-live"
US = Place(True, "us-central1")


async def test_each_place_has_one_who_dials_there_made_when_it_is_first_needed() -> None:
    made: dict[Place, FakeUpstream] = {}

    def make(place: Place) -> FakeUpstream:
        assert place not in made
        return made.setdefault(place, FakeUpstream())

    upstream = UpstreamByPlace(make, frozenset({DEVELOPER_API}))
    upstream.expect(HERE)
    assert made == {}
    for model in (HERE, THERE, THERE):
        await upstream.connect(Setup(model, "", "Kore"))
    upstream.expect(THERE)
    assert {place: len(dialled.attempts) for place, dialled in made.items()} == {DEVELOPER_API: 1, US: 2}
    assert made[US].expected == [THERE]


async def test_a_model_whose_place_nobody_asks_at_fails_as_a_dial_without_a_key() -> None:
    with pytest.raises(UpstreamFailed, match="API key not found"):
        GenerationByPlace({}).speak(THERE, "Hello", "Kore")


def test_each_model_writes_summaries_where_it_is() -> None:
    here, there = FakeSummarizer(), FakeSummarizer()
    summarizer = SummarizerByPlace([HERE, THERE], {DEVELOPER_API: here, US: there})
    summarizer.ask(THERE, summary_prompt("User: Hello", ""))
    assert (len(here.asked), len(there.asked)) == (0, 1)


def test_a_client_is_of_the_side_it_is_asked_for_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "another")
    monkeypatch.delenv("GOOGLE_VERTEX_BASE_URL", raising=False)
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)
    options = types.HttpOptions(api_version="v1")
    by_key = client_for("a-key", options)._api_client
    assert (by_key.vertexai, by_key._http_options.base_url) == (False, "https://generativelanguage.googleapis.com/")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "0")
    monkeypatch.setenv("GOOGLE_API_KEY", "a-key")
    project = CloudProject("holdline", "europe-west4", "token")
    of_project = client_for(project, options)._api_client
    assert (of_project.vertexai, of_project.project, of_project.api_key) == (True, "holdline", None)
    assert of_project._http_options.base_url == "https://europe-west4-aiplatform.googleapis.com/"
    assert "token" not in repr(project)
    assert GeminiUpstream(project, "v1beta1")


@pytest.fixture
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudProject:
    """A project whose file of credentials holds none, which is found without a network."""
    file = tmp_path / "credentials.json"
    file.write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return CloudProject("holdline", "us-central1")


async def test_a_dial_without_credentials_fails_as_one_with_a_wrong_key(no_credentials: CloudProject) -> None:
    with pytest.raises(UpstreamFailed, match="no credentials") as failed:
        await GeminiUpstream(no_credentials, "v1beta1").connect(Setup(THERE, "", "Kore"))
    judgement = judge(failed.value.failure, History())
    assert (judgement.verdict, judgement.reason) == (Verdict.STOP, "bad-key")


async def test_a_turn_without_credentials_fails_in_the_same_way(no_credentials: CloudProject) -> None:
    generation = GeminiGeneration(no_credentials, "v1beta1")
    with pytest.raises(UpstreamFailed, match="no credentials") as failed:
        await anext(generation.speak("vertex@us-central1:gemini-3.8-flash-tts", "Hello", "Kore"))
    assert judge(failed.value.failure, History()).reason == "bad-key"


def test_a_summary_without_credentials_is_refused(no_credentials: CloudProject) -> None:
    with pytest.raises(Refused, match="no credentials"):
        GeminiSummarizer(no_credentials, "v1beta1", ()).ask(THERE, summary_prompt("User: Hello", ""))


@pytest.mark.parametrize("error", [TransportError("no route"), RefreshError("503", retryable=True)])
def test_credentials_that_cannot_be_renewed_just_now_are_a_fault_of_the_network(error: GoogleAuthError) -> None:
    assert is_of_the_network(failure_of(error, Phase.HANDSHAKE))
