"""What a talk with each model of the ladders says about it, in findings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from config.doctor.findings import Finding, failed, not_set, ok, told, warning
from config.doctor.live.observed import differences, go_away_in, handle_in, knows
from config.doctor.live.recording import Recording
from config.doctor.live.talk import Talk, hold
from config.minters import is_dialled_by_token, minter_of_dials
from energy.levels import ModelProfile, UnknownModel, profile_of
from energy.places import place_of
from sessions_app.live.providers.upstream import UpstreamFailed
from sessions_app.provider_accounts import account_at, version_at

LIMIT_S = 150.0
SLOW_S = 4.0
REFUSED = "See 'The provider refuses' in docs/operations.md."


def look(model: str, directory: Path) -> Iterator[Finding]:
    """Talk with a model, which takes some twenty seconds, and say what came of it. The frames go into `directory`, also
    those of a talk that is interrupted; KeyboardInterrupt comes after that."""
    recording = Recording()
    place = place_of(model)
    access = (is_dialled_by_token(place) and minter_of_dials()) or account_at(place)
    try:
        talk = asyncio.run(asyncio.wait_for(hold(access, version_at(place), model, recording), LIMIT_S))
    except UnknownModel as error:
        yield failed(str(error), "Take it off CALL_MODELS and TEXT_MODELS; names are as in 'manage.py check_models'.")
    except UpstreamFailed as error:
        yield told(failed(f"the provider says {error}", REFUSED))
    except KeyboardInterrupt:
        yield from _keep(recording, directory / f"{model}.jsonl")
        raise
    except TimeoutError:
        yield failed(f"no end within {LIMIT_S:g} s", "Try again; if it stays so, take it off the ladders.")
    else:
        yield from map(told, about(profile_of(model), talk))
    yield from _keep(recording, directory / f"{model}.jsonl")


def _keep(recording: Recording, path: Path) -> Iterator[Finding]:
    if not recording.lines:
        return
    try:
        recording.write(path)
    except OSError as error:
        yield failed(f"the frames are not kept: {path}: {error.strerror}", "Make room, or set HOLDLINE_DATA_DIR.")
    else:
        yield ok(f"{len(recording.lines)} frames in {path}, without key, handles and sound")


def about(profile: ModelProfile, talk: Talk) -> Iterator[Finding]:
    yield ok(f"set up in {talk.setup_s:.1f} s")
    yield _of_reply("typed words", talk.typed.is_complete and bool(talk.typed.reply), talk.typed.lag_s, "")
    words = "".join(talk.spoken.user_words).strip()
    yield _of_reply("a voice", knows(talk.spoken.reply), talk.spoken.lag_s, f", heard as {words!r}")
    yield ok(f"order of what came of the voice: {talk.spoken.order or 'nothing'}")
    yield from _of_resumption(profile, talk)
    going = go_away_in(talk.heard)
    yield ok(f"GoAway came, {going.time_left_ms / 1000:g} s before the end") if going else not_set("no GoAway came")
    for difference in differences(profile, talk.quiet, talk.spoken, talk.heard):
        yield warning(difference, "Send the frames with a report, or correct it.")


def _of_reply(what: str, is_right: bool, lag_s: float | None, more: str) -> Finding:
    after = "without sound" if lag_s is None else f"after {lag_s:.1f} s"
    if not is_right or lag_s is None:
        return failed(f"{what}{more}: no right answer, {after}", "The frames have what came instead.")
    if lag_s > SLOW_S:
        return warning(f"{what}{more}: answered {after}", "Look at the way to the provider; try again.")
    return ok(f"{what}{more}: answered {after}")


def _of_resumption(profile: ModelProfile, talk: Talk) -> Iterator[Finding]:
    if talk.resumed is None:
        if profile.resumable:
            yield failed(
                "no handle came", "Its sessions cannot be resumed: they begin anew and are told what was said."
            )
        else:
            yield not_set("it issues no handles")
    elif talk.refusal:
        yield failed(f"its handle is refused: {talk.refusal}", REFUSED)
    elif not knows(talk.resumed.reply):
        yield failed(
            f"resumed, and the code word is forgotten: {talk.resumed.reply!r}", "The frames have what was said."
        )
    else:
        tokens = f"{talk.spoken.prompt_tokens} tokens before, {talk.resumed.prompt_tokens} after"
        yield ok(
            f"resumed with the code word ({tokens}); a newer handle {'came' if _renewed(talk) else 'did not come'}"
        )


def _renewed(talk: Talk) -> bool:
    return talk.resumed is not None and handle_in(talk.resumed.heard) is not None
