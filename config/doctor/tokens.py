"""Whether there are tokens to dial with, where live connections are dialled with them: by having one made."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator

from django.conf import settings

from config.doctor.findings import Finding, failed, not_set, ok
from config.minters import minter_of_dials
from energy.ladders import models_for_tokens
from sessions_app.live.providers.minting import MintingFailed
from sessions_app.live.providers.token_keeper import order_of


def look() -> Iterator[Finding]:
    """One token is made, and dialled with by nobody. It costs nothing."""
    if not settings.GEMINI_DIAL_WITH_TOKENS:
        yield not_set("GEMINI_DIAL_WITH_TOKENS, so the key dials")
        return
    minter = minter_of_dials()
    if minter is None:
        yield failed("nobody makes any", "Set GEMINI_API_KEY, or GEMINI_TOKEN_SERVICE_URL.")
        return
    models = models_for_tokens()
    if not models:
        yield not_set("a Live model, so nobody dials with tokens")
        return
    who = settings.GEMINI_TOKEN_SERVICE_URL or "the provider"
    began = time.monotonic()
    try:
        minter.mint(order_of(models[0], datetime.datetime.now(datetime.UTC)))
    except MintingFailed as failure:
        said = failure.text or "no answer that makes sense"
        status = f" ({failure.code})" if failure.code else ""
        yield failed(f"{who} makes none{status}: {said}", "See 'The provider refuses' in docs/operations.md.")
    else:
        yield ok(f"{who} makes one in {time.monotonic() - began:.1f} s")
