"""What the session page offers; its figures come over the socket."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings


@pytest.mark.parametrize("allowed", [True, False])
def test_tokens_are_offered_where_the_operator_hands_them_out(
    client: Client, alice: User, settings: Settings, allowed: bool
) -> None:
    settings.EPHEMERAL_TOKENS = allowed
    client.force_login(alice)
    assert ("Create token" in client.get("/session/").content.decode()) is allowed
