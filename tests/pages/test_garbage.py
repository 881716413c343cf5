"""Whatever is asked of a page, in whatever bytes: there is an answer, and it is no error of the server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app.models import Conversation, Throttle
from tests.pages.history_rows import converse
from tests.pages.routes import routes
from tests.repeatable import cases

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("patient_readiness"),
    pytest.mark.filterwarnings("ignore:DateTimeField"),  # Django warns of days without a zone, and takes them for UTC
]

ONCE_TROUBLE = [b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"0001-01-01", b"9999-12-31", b"99999", b"-1", b"1e400", b"NaN"]
"""NUL, bytes that are no UTF-8, a lone surrogate, the ends of the calendar, numbers that are none."""

VALUES = st.one_of(
    st.sampled_from([*ONCE_TROUBLE, b"", b"1", b"on", b"text", b"UTC", b"%00", b"9" * 5_000, b"x" * 10_000]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(str.encode),
    st.binary(max_size=40),
)

NAMES_OF_OURS = (
    "q mode model since until zone page next username password password1 password2 title csrfmiddlewaretoken "
    "email old_password new_password1 new_password2"
)
NAMES_OF_THE_ADMIN = (
    "o p e q all action index select_across _selected_action _popup _to_field _facets _changelist_filters"
)
PARTS_OF_DATES = ["", "__year", "__month", "__day", "__gte", "__lt", "__isnull", "__exact", "__in"]


ROUTES = sorted(set(routes()))
PLACE = re.compile(r"<\w+>")
"""Where a route takes something."""


def names_of_filters() -> set[str]:
    """What the lists of the admin can be narrowed by, and a little that they cannot."""
    names = {"user__password__startswith", "id__exact", "conversation__user__id__exact"}
    for shown in admin.site._registry.values():
        filters = [one[0] if isinstance(one, tuple) else one for one in (*shown.list_filter, shown.date_hierarchy)]
        names |= {f"{one}{part}" for one in filters if isinstance(one, str) for part in PARTS_OF_DATES}
    return names


NAMES = sorted({*NAMES_OF_OURS.split(), *NAMES_OF_THE_ADMIN.split(), *names_of_filters()})
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES).map(str.encode) | st.binary(max_size=10), VALUES), max_size=4)


@dataclass(frozen=True)
class Asked:
    """A request. `ids` fill the places of `route`; without any, those of things that exist do."""

    method: str
    route: str
    ids: list[bytes]
    query: list[tuple[bytes, bytes]]
    fields: list[tuple[bytes, bytes]]
    content_type: str
    headers: dict[str, bytes] = field(default_factory=dict)

    def send(self, client: Client, existing: str) -> int:
        ids = iter(self.ids)
        path = "/" + PLACE.sub(lambda place: quote_from_bytes(next(ids, existing.encode())), self.route)
        headers: dict[str, Any] = {name: value.decode("latin-1") for name, value in self.headers.items()}
        answer = client.generic(
            self.method, path, encoded(self.fields), self.content_type, QUERY_STRING=encoded(self.query), **headers
        )
        return int(answer.status_code)


def encoded(fields: list[tuple[bytes, bytes]]) -> str:
    return "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in fields)


ASKED = st.builds(
    Asked,
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    st.sampled_from(ROUTES),
    st.lists(VALUES, max_size=1),
    FIELDS,
    FIELDS,
    st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=nonsense",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "application/json",
            "",
        ]
    ),
    st.dictionaries(
        st.sampled_from(["HTTP_COOKIE", "HTTP_HOST", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_ACCEPT_LANGUAGE"]),
        VALUES,
        max_size=1,
    ),
)


@pytest.mark.parametrize("name", ["visitor", "alice", "sam"])
@settings(max_examples=cases(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ASKED)
def test_whatever_is_asked_of_any_page_there_is_an_answer(name: str, alice: User, sam: User, asked: Asked) -> None:
    client = Client()
    if name != "visitor":
        client.force_login({"alice": alice, "sam": sam}[name])
    conversation = Conversation.objects.first() or converse(alice, "Hello")
    Throttle.objects.all().delete()  # else a limit would answer instead of the page
    assert asked.send(client, str(conversation.pk)) < 500


@pytest.mark.parametrize("narrowed", ["__year=99999", "__year__gt=0", "__range=1,2,3"])
def test_a_list_of_the_admin_that_is_narrowed_to_nonsense_is_no_error(client: Client, sam: User, narrowed: str) -> None:
    client.force_login(sam)
    for model, shown in admin.site._registry.items():
        names = [
            one for one in (*shown.list_filter, shown.date_hierarchy) if isinstance(one, str) and one.endswith("at")
        ]
        for name in names:
            address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/?{name}{narrowed}"
            assert client.get(address, follow=True).status_code in {200, 400}, address
