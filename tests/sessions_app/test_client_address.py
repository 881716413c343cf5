"""From where somebody comes, for everything that is counted by address."""

from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.client_address import UNKNOWN, address_of_request, address_of_scope, client_address


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("10.0.0.2", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.2", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.2", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.2", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("10.0.0.2", "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.7, nonsense:80", "10.0.0.2"),
        ("10.0.0.2", "::::", "10.0.0.2"),
        ("2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("", "", UNKNOWN),
    ],
)
def test_behind_a_trusted_proxy_the_last_address_that_it_forwarded_counts(
    peer: str, forwarded_for: str, address: str
) -> None:
    assert client_address(peer, forwarded_for, trusts_proxy=True) == address


def test_without_a_trusted_proxy_nobody_can_claim_another_address() -> None:
    assert client_address("203.0.113.7", "198.51.100.1", trusts_proxy=False) == "203.0.113.7"


@given(st.text(max_size=80), st.text(max_size=80), st.booleans())
def test_no_claim_of_an_address_raises_and_none_is_longer_than_a_network(peer: str, claim: str, trusts: bool) -> None:
    address = client_address(peer, claim, trusts_proxy=trusts)
    assert 0 < len(address) <= len("ffff:ffff:ffff:ffff::/64")


def test_pages_and_sockets_are_counted_under_the_same_address(settings: Any, rf: RequestFactory) -> None:
    settings.TRUST_PROXY = True
    request = rf.get("/", REMOTE_ADDR="10.0.0.2", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.7")
    headers = [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"203.0.113.7")]
    scope = {"client": ["10.0.0.2", 4711], "headers": headers}
    assert address_of_request(request) == address_of_scope(scope) == "203.0.113.7"


def test_a_connection_without_a_peer_has_the_address_unknown() -> None:
    assert address_of_scope({"client": None, "headers": []}) == UNKNOWN
