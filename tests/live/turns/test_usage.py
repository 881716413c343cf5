"""What the requests of one exchange cost."""

from __future__ import annotations

from dataclasses import MISSING, fields

from sessions_app.live.providers.turns.usage import UsageAccount
from sessions_app.live.providers.upstream import UsageReported


def test_requests_are_added_up_by_model_and_the_own_one_is_last() -> None:
    account = UsageAccount()
    for model, prompt, audio in (("own", 100, 60), ("voice", 5, 0), ("own", 120, 70), ("voice", 7, 0)):
        meter = account.meter(model)
        meter.read(UsageReported(prompt_tokens=1))
        meter.read(UsageReported(prompt_tokens=prompt, prompt_tokens_by_modality={"AUDIO": audio} if audio else {}))
        meter.read(None)
    assert account.take("own") == [
        UsageReported(prompt_tokens=12, model="voice"),
        UsageReported(prompt_tokens=220, prompt_tokens_by_modality={"AUDIO": 130}),
    ]
    assert account.take("own") == []


def test_what_caches_took_is_added_to_what_requests_did() -> None:
    account = UsageAccount()
    counts = (UsageReported(prompt_tokens=7), UsageReported(cache_made_tokens=5, cache_token_seconds=9))
    for usage in (*counts, UsageReported(cache_token_seconds=1)):
        account.meter("own").read(usage)
    assert account.has_of("own")
    assert not account.has_of("voice")
    assert account.take("own") == [UsageReported(prompt_tokens=7, cache_made_tokens=5, cache_token_seconds=10)]
    assert not account.has_of("own")


def test_no_count_of_a_report_is_left_out_of_the_sum() -> None:
    counts = [field for field in fields(UsageReported) if field.name != "model"]
    of_one = {field.name: 3 if field.default_factory is MISSING else {"AUDIO": 3} for field in counts}
    of_both = {name: 6 if count == 3 else {"AUDIO": 6} for name, count in of_one.items()}
    account = UsageAccount()
    for _ in range(2):
        account.meter("own").read(UsageReported(**of_one))  # type: ignore[arg-type]
    assert [usage.as_data() for usage in account.take("own")] == [of_both]


def test_a_request_that_reports_nothing_costs_nothing_we_know_of() -> None:
    account = UsageAccount()
    account.meter("own")
    assert account.take("own") == []
