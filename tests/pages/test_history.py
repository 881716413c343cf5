"""The history: what is listed and found, what one conversation shows, and what can be done with it."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from sessions_app.models import Conversation, LiveSession
from summarization import hits, search, search_entries
from summarization.models import CallHistory, SearchEntry
from summarization.services import write_call_history
from tests.pages.history_rows import NOON, converse
from tests.repeatable import cases

ANYTHING = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.sampled_from(["0001-01-01", "9999-12-31", "-1", "0", "10" * 30, "\x00", "text", "UTC", "../etc"]),
)

PAGES = ["", "rename/", "delete/", "export.md", "export.json"]
CHANGES = ["rename/", "delete/", "summarise/"]


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """Alice's browser."""
    client.force_login(alice)
    return client


def text_of(client: Client, path: str) -> str:
    """What a page says, without its marks."""
    response = client.get(path)
    assert response.status_code == 200
    words = re.sub(r"<[^>]+>", " ", response.content.decode().split("<main", 1)[1])
    return " ".join(words.split())


def titles(client: Client, query: str = "") -> list[str]:
    """The titles in the list, in order."""
    page = client.get(f"/history/?{query}").content.decode()
    return [re.sub("<[^>]+>", "", title) for title in re.findall(r'class="entry__title"><a [^>]*>(.*?)</a>', page)]


def heading(client: Client, conversation: Conversation) -> str:
    """The title on the page of a conversation."""
    page = client.get(f"/history/{conversation.pk}/").content.decode()
    return re.findall(r'class="conversation__title" dir="auto">([^<]*)</h1>', page)[0]


def earlier(client: Client, conversation: Conversation) -> str:
    """The title of the one that a conversation continues, on its page."""
    page = client.get(f"/history/{conversation.pk}/").content.decode()
    return re.findall(r"Continues <a [^>]*>([^<]*)</a>", page)[0]


# -- whose it is -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/history/", "/history/delete-all/", f"/history/{uuid.UUID(int=7)}/"])
def test_a_visitor_is_sent_to_log_in(client: Client, db: None, path: str) -> None:
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_and_an_unknown_id_get_the_same_404(client: Client, alice: User, bob: User, path: str) -> None:
    conversation = converse(alice, "A secret")
    client.force_login(bob)
    answers = [client.get(f"/history/{id}/{path}") for id in (conversation.pk, uuid.uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({re.sub(rb'csrfmiddlewaretoken" value="[^"]*"', b"", answer.content) for answer in answers}) == 1


@pytest.mark.parametrize("path", CHANGES)
def test_a_stranger_changes_nothing(client: Client, alice: User, bob: User, path: str) -> None:
    conversation = converse(alice, "A secret", state="failed", reason="No.", summary="")
    client.force_login(bob)
    assert client.post(f"/history/{conversation.pk}/{path}", {"title": "Mine"}).status_code == 404
    history = CallHistory.objects.get(conversation=conversation)
    assert (history.title, history.state) == ("A secret", "failed")


def test_the_list_the_search_and_delete_all_stop_at_what_is_ones_own(client: Client, alice: User, bob: User) -> None:
    converse(alice, "A secret")
    converse(alice, "Another secret", is_over=False)
    client.force_login(bob)
    assert titles(client) == titles(client, "q=secret") == []
    client.post("/history/delete-all/")
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize("path", ["rename/", "delete/", "summarise/"])
def test_a_change_takes_a_form_with_its_token(alice: User, path: str) -> None:
    conversation = converse(alice, "Hello")
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post(f"/history/{conversation.pk}/{path}", {"title": "New"}).status_code == 403
    assert client.post("/history/delete-all/").status_code == 403
    assert CallHistory.objects.get().title == "Hello"


# -- the list ----------------------------------------------------------------------------------------------------------


def test_an_empty_history_says_so_and_shows_the_doors(page: Client) -> None:
    assert "No conversations yet" in text_of(page, "/history/")
    assert "Search" not in text_of(page, "/history/")


def test_the_newest_conversation_comes_first_and_what_goes_on_before_all(page: Client, alice: User) -> None:
    converse(alice, "Older", started_at=NOON)
    converse(alice, "Newer", started_at=NOON + timedelta(hours=1))
    converse(alice, "Is anybody there and will they answer me today", started_at=NOON, is_over=False)
    assert titles(page) == ["Is anybody there and will they …", "Newer", "Older"]
    assert "Open" in text_of(page, "/history/")


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("Tell me about herons", "Tell me about herons"),
        ("one two three four five six seven eight nine", "one two three four five six …"),
        ("x" * 300, "x" * 60 + " …"),
    ],
)
def test_a_conversation_is_called_the_same_before_it_has_an_entry_and_after(
    page: Client, alice: User, words: str, title: str
) -> None:
    """The model spoke first, which is not what the user knows the conversation by."""
    talk = converse(alice, "Hello, I am here.", "How are you?", words, is_over=False)
    talk.turns.filter(number=0).update(role="model")
    following = converse(alice, "Next", continues=talk, started_at=NOON - timedelta(hours=1))
    names = [(titles(page)[0], heading(page, talk), earlier(page, following))]
    talk.live_sessions.update(ended_at=NOON)
    write_call_history(talk.pk)
    names += [(titles(page)[0], heading(page, talk), earlier(page, following))]
    assert names == [(title, title, title)] * 2


def test_a_conversation_in_which_nobody_spoke_is_not_listed(page: Client, alice: User) -> None:
    silent = converse(alice, is_over=False)
    silent.turns.create(number=0, role="system", text="A notice", status="complete", at=NOON)
    assert titles(page) == []


def test_a_conversation_that_ended_without_an_entry_is_listed_all_the_same(page: Client, alice: User) -> None:
    conversation = converse(alice, "Do not lose me")
    CallHistory.objects.all().delete()
    assert titles(page) == ["Do not lose me"]
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert "Do not lose me" in shown
    assert "The summary follows." in shown


def test_the_list_comes_in_pages_of_25_that_keep_the_question(page: Client, alice: User) -> None:
    for number in range(30):
        converse(alice, f"Talk {number}", started_at=NOON - timedelta(hours=number))
    assert len(titles(page)) == 25
    first = page.get("/history/?mode=call").content.decode()
    assert 'href="?mode=call&amp;page=2"' in first
    assert titles(page, "mode=call&page=2") == [f"Talk {number}" for number in range(25, 30)]
    assert titles(page, "page=99") == titles(page, "page=2")
    assert titles(page, "page=x") == titles(page, "page=1")


def test_pages_go_on_where_those_without_an_entry_end(page: Client, alice: User) -> None:
    for number in range(27):
        converse(alice, f"Open {number}", started_at=NOON - timedelta(hours=number), is_over=False)
    converse(alice, "Over")
    assert titles(page, "page=1")[-1] == "Open 24"
    assert titles(page, "page=2") == ["Open 25", "Open 26", "Over"]


def test_states_of_summaries_show_in_the_list(page: Client, alice: User) -> None:
    converse(alice, "One", state="pending", summary="")
    converse(alice, "Two", state="failed", summary="", reason="No model answered.")
    listed = text_of(page, "/history/")
    assert "Summary on its way" in listed
    assert "No summary" in listed


# -- search and filters ------------------------------------------------------------------------------------------------


def test_every_word_must_occur_somewhere(page: Client, alice: User) -> None:
    converse(alice, "The heron stands", "in the water", title="Birds")
    converse(alice, "The heron flies", title="Flight")
    converse(alice, "Heron and water, live", is_over=False)
    assert titles(page, "q=heron+water") == ["Heron and water, live", "Birds"]
    assert titles(page, "q=HERON+fli") == ["Flight"]
    assert "1 conversation found" in text_of(page, "/history/?q=flight")


def test_a_hit_is_shown_in_its_place_and_marked(page: Client, alice: User) -> None:
    converse(alice, "long ago " * 60 + "a <b>Heron</b> stood there", title="Birds")
    shown = page.get("/history/?q=heron").content.decode()
    assert "&lt;b&gt;<mark>Heron</mark>&lt;/b&gt; stood there" in shown


def test_a_part_of_a_word_is_found_and_marked(page: Client, alice: User) -> None:
    converse(alice, "It starts. Her art is great", title="One")
    shown = page.get("/history/?q=art").content.decode()
    assert "It st<mark>art</mark>s." in shown
    assert titles(page, "q=tart") == ["One"]


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("Он Червоний и синий", "червоний"),
        ("Das Hôtel am See", "hotel"),
        ("Das Ho\u0302tel am See", "hôtel"),
        ("這個测试很重要。", "测试"),
        ("今日の天気はとても良い", "天気"),
        ("오늘날씨가 좋아요", "날씨"),
        ("วันนี้อากาศดีมาก", "อากาศ"),
        ("Die STRASSE am Fluß", "straße fluss"),
        ("İstanbul'da hava", "istanbul"),
        ("Ο ΟΔΌΣ του", "οδος"),
        ("قرأت مَدْرَسَة اليوم", "مدرسة"),
        ("Tel. ２０２６", "2026"),
        ("Write to ada@mail.example or to the_other one", ".example"),
        ("Write to ada@mail.example or to the_other one", "the_o"),
        ("We had a 🎉 there", "🎉"),
        ("A hot dog, and a dog that is hot", '"hot dog"'),
    ],
)
def test_what_people_look_for_is_found_in_every_script(page: Client, alice: User, said: str, typed: str) -> None:
    """In the entries of the history, and in what is being said."""
    converse(alice, said, title="Over")
    converse(alice, "Something else", title="Other")
    converse(alice, said, is_over=False)
    shown = page.get("/history/", {"q": typed})
    assert shown.content.decode().count("<mark>") >= 2
    assert "2 conversations found" in shown.content.decode()


def test_words_in_quotes_stand_beside_each_other(page: Client, alice: User) -> None:
    converse(alice, "A dog that is hot", title="One")
    converse(alice, "A hot", "dog", title="Two")
    assert len(titles(page, "q=hot+dog")) == 2
    assert titles(page, "q=%22hot+dog%22") == []


def test_those_whose_title_or_summary_has_the_words_come_first(page: Client, alice: User) -> None:
    for hours, title, summary in (
        (3, "Other", "Of a heron"),
        (2, "Heron", "They talked."),
        (1, "Other", "They talked."),
    ):
        said, begun = f"A heron, {hours} hours ago", NOON - timedelta(hours=hours)
        converse(alice, said, title=f"{title} {hours}", summary=summary, started_at=begun)
    assert titles(page, "q=heron") == ["Heron 2", "Other 3", "Other 1"]


@pytest.mark.parametrize("words", [("o'neill", "heron"), ("测试",), ("x",)])
@pytest.mark.django_db
def test_words_are_found_by_the_index(words: tuple[str, ...]) -> None:
    """Of a table so small that it is read whole when it may be."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = search.with_pieces(CallHistory.objects.order_by(), 1, words).explain()
    index = {"postgresql": "Bitmap Index Scan on search_entry_pieces", "sqlite": "summarization_searchpieces VIRTUAL"}
    assert index[connection.vendor] in plan


def test_each_hit_leads_to_its_turn(page: Client, alice: User) -> None:
    said = ["Good morning", *(f"Turn {number} has a zebra. And more." for number in range(1, 6))]
    conversation = converse(alice, *said, title="Animals")
    listed = page.get("/history/?q=Zebra").content.decode()
    links = re.findall(r'class="hit" href="([^"]*)"', listed)
    assert links == [f"/history/{conversation.pk}/?q=Zebra#turn-{number}" for number in (1, 2, 3)]
    assert "Turn 1 has a <mark>zebra</mark>.</span>" in listed
    assert "and in 2 more turns" in listed
    read = page.get(links[0].split("#")[0]).content.decode()
    assert all(f'id="turn-{number}"' in read for number in range(6))
    assert read.count("<mark>zebra</mark>") == 5
    assert "marked in 5 turns" in read
    assert 'href="/history/?q=Zebra">Results' in read


def test_turns_with_more_of_the_words_are_shown_rather_than_others(page: Client, alice: User) -> None:
    converse(alice, "a heron", "a heron", "a heron", "a heron in the water", title="Birds")
    listed = page.get("/history/?q=heron+water").content.decode()
    assert [number for number in range(4) if f"#turn-{number}" in listed] == [0, 1, 3]


@pytest.mark.parametrize("query", ["!!", "_", "«»", "x" * 201])
def test_what_cannot_be_looked_for_lists_nothing_and_says_what_to_do(page: Client, alice: User, query: str) -> None:
    converse(alice, "Hello _ x «»")
    listed = page.get("/history/", {"q": query}).content.decode()
    assert 'class="entry' not in listed
    assert "Nothing was searched for." in listed
    assert ("Add a letter" in listed) or ("a few words" in listed)
    assert "Show all" in listed


def test_more_words_than_are_looked_for_are_told(page: Client, alice: User) -> None:
    converse(alice, "a b c d e f g h i j k")
    assert "Only the first 10 words" in text_of(page, "/history/?q=a+b+c+d+e+f+g+h+i+j+k")
    assert "Only the first" not in text_of(page, "/history/?q=a+b+c+d+e+f+g+h+i+j")


def test_of_words_that_are_everywhere_the_newest_are_shown(
    page: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hours in range(4):
        converse(alice, "A heron", title=f"{hours} hours ago", started_at=NOON - timedelta(hours=hours))
    monkeypatch.setattr(search, "MOST_FOUND", 3)
    monkeypatch.setattr(search, "_AT_ONCE", 2)
    assert titles(page, "q=heron") == ["0 hours ago", "1 hours ago", "2 hours ago"]
    assert "More than 3 conversations have this; the newest 3 are here." in text_of(page, "/history/?q=heron")
    monkeypatch.setattr(search, "MOST_FOUND", 4)
    assert "4 conversations found" in text_of(page, "/history/?q=heron")


def test_what_was_said_after_a_conversation_was_taken_up_again_is_found(page: Client, alice: User) -> None:
    conversation = converse(alice, "About herons")
    conversation.live_sessions.update(ended_at=None)
    conversation.turns.create(number=1, role="user", text="And zebras", status="complete", at=NOON)
    assert titles(page, "q=herons+zebras") == ["About herons"]


def test_an_entry_of_the_version_before_is_found_before_it_is_folded_and_after(page: Client, alice: User) -> None:
    converse(alice, "About herons")
    SearchEntry.objects.all().delete()
    assert titles(page, "q=herons") == ["About herons"]
    assert search_entries.write_missing() == 1
    assert titles(page, "q=herons") == ["About herons"]


def test_the_user_hears_of_what_is_not_ready_yet(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hits, "MOST_UNKNOWN", 1)
    for hours in range(2):
        converse(alice, "A heron", title=f"{hours} hours ago", started_at=NOON - timedelta(hours=hours))
    assert "being made ready" not in text_of(page, "/history/?q=heron")
    SearchEntry.objects.all().delete()
    assert titles(page, "q=heron") == ["0 hours ago"]
    assert "being made ready" in text_of(page, "/history/?q=heron")


def test_words_of_others_are_found_by_nobody_else(client: Client, alice: User, bob: User) -> None:
    converse(alice, "owner1 owner2 heron")
    converse(bob, "heron")
    client.force_login(bob)
    assert titles(client, "q=heron") == ["heron"]
    assert titles(client, f"q=owner{alice.pk}") == []


@pytest.mark.parametrize(
    "query", ["' | !x", "a:* & b", "o'neill", "back\\slash", "%", "'; DROP TABLE", "(((", "<->", "\x00nul", "é" * 150]
)
def test_no_sign_in_a_query_breaks_the_search(page: Client, alice: User, query: str) -> None:
    converse(alice, "Hello O'Neill")
    assert page.get("/history/", {"q": query}).status_code == 200


def test_words_with_signs_are_found(page: Client, alice: User) -> None:
    converse(alice, "Call Mr O'Neill at well-known.example", title="One")
    assert titles(page, "q=o%27neill") == ["One"]
    assert titles(page, "q=well-known.example") == ["One"]


def test_filters_count_together(page: Client, alice: User) -> None:
    converse(alice, "Call", mode="call")
    converse(alice, "Text", mode="text", model="gemini-3.1-flash-live-preview")
    converse(alice, "Old text", mode="text", started_at=NOON - timedelta(days=30))
    assert titles(page, "mode=text") == ["Text", "Old text"]
    assert titles(page, "mode=text&since=2026-11-01") == ["Text"]
    assert titles(page, "until=2026-11-01") == ["Old text"]
    assert titles(page, "model=gemini-3.1-flash-live-preview") == ["Text"]
    assert titles(page, "model=gemini-3.1-flash-live-preview&mode=call") == []


def test_days_begin_where_the_user_is(page: Client, alice: User) -> None:
    converse(alice, "Late", started_at=NOON.replace(hour=23, minute=30))
    assert titles(page, "since=2026-11-21&until=2026-11-21") == []
    assert titles(page, "since=2026-11-21&until=2026-11-21&zone=Europe/Rome") == ["Late"]
    assert titles(page, "since=2026-11-20&zone=../../etc/passwd") == ["Late"]


def test_a_filter_that_makes_no_sense_is_told_and_the_others_count(page: Client, alice: User) -> None:
    converse(alice, "Call", mode="call")
    converse(alice, "Text", mode="text")
    query = "q=ext&mode=text&since=foo&model=nope"
    assert titles(page, query) == ["Text"]
    told = text_of(page, f"/history/?{query}")
    assert "“foo” is no date." in told
    assert "No conversation was held with “nope”." in told
    form = page.get(f"/history/?{query}").content.decode()
    assert 'value="ext"' in form
    assert '<option value="text" selected>' in form
    assert "before the one in" in text_of(page, "/history/?since=2026-11-20&until=2026-11-19")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "%00", "x" * 5_000])
def test_days_at_the_ends_of_the_calendar_are_days_like_others(page: Client, alice: User, zone: str) -> None:
    converse(alice, "Call")
    assert titles(page, f"since=0001-01-01&until=9999-12-31&zone={zone}") == ["Call"]


@settings(max_examples=cases(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.dictionaries(st.sampled_from(["q", "mode", "model", "since", "until", "zone", "page"]), ANYTHING))
def test_whatever_is_looked_for_there_is_an_answer(page: Client, query: dict[str, str]) -> None:
    assert page.get("/history/", query).status_code == 200


def test_nothing_found_says_so_and_leads_back(page: Client, alice: User) -> None:
    converse(alice, "Call")
    shown = text_of(page, "/history/?q=zebra")
    assert "Nothing found" in shown
    assert "Show all conversations" in shown


# -- one conversation --------------------------------------------------------------------------------------------------


def test_a_conversation_shows_what_was_said_as_text(page: Client, alice: User) -> None:
    conversation = converse(alice, "<script>alert(1)</script>", "Well\n\n* one")
    shown = page.get(f"/history/{conversation.pk}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>" not in shown
    assert "Well\n\n* one" in shown


def test_a_conversation_shows_its_summary_points_and_facts(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", summary="A short talk.", open_points=["Which day"], facts=["Code: heron"])
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert "A short talk. Open points Which day Facts Code: heron" in shown
    assert "10 minutes" in shown
    assert "gemini-3.8-live" in shown


def test_a_short_talk_is_shown_once(page: Client, alice: User) -> None:
    """Its summary is its transcript."""
    conversation = converse(alice, "Is the heron back?", "It is.", is_over=True)
    CallHistory.objects.all().delete()
    write_call_history(conversation.pk)
    assert CallHistory.objects.get().summary.startswith("User: Is the heron back?")
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert shown.count("Is the heron back?") == 2, "the title, and the transcript"
    assert "Summary" not in shown
    exported = page.get(f"/history/{conversation.pk}/export.md").content.decode()
    assert "## Summary" not in exported
    assert exported.count("It is.") == 1


def test_a_summary_on_its_way_says_so(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", state="pending", summary="")
    assert "The summary is being written." in text_of(page, f"/history/{conversation.pk}/")


def test_a_chat_that_was_left_is_open_and_its_summary_can_wait(page: Client, alice: User) -> None:
    conversation = converse(
        alice, "Hi", mode="text", is_over=False, is_open=False, state="pending", summary="", title="Left"
    )
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert "Left Text chat" in shown
    assert "Open Go to the chat" in shown
    assert "when nothing was said for a while" in shown


def test_the_moment_that_a_notice_names_can_be_shown_by_the_readers_own_clock(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi")
    midnight = NOON + timedelta(hours=12)
    turn = {"role": "system", "status": "complete", "at": NOON, "until": midnight}
    conversation.turns.create(number=8, text="On, until Saturday 00:00 UTC.", **turn)
    conversation.turns.create(number=9, text="On again.", **turn)
    shown = page.get(f"/history/{conversation.pk}/").content.decode()
    time = '<time datetime="2026-11-21T00:00:00+00:00" data-local-time="minute">Saturday 00:00 UTC</time>'
    assert f"On, until {time}." in shown
    assert ">On again.<" in shown


def test_a_failed_summary_says_why_and_can_be_asked_for_again(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", state="failed", summary="", reason="No model answered.", attempts=5)
    path = f"/history/{conversation.pk}/"
    assert "There is no summary: No model answered. Try again" in text_of(page, path)
    assert page.post(f"{path}summarise/")["Location"] == path
    assert CallHistory.objects.get().state == "pending"
    assert page.get(f"{path}summarise/").status_code == 405


def test_the_timeline_tells_gaps_and_what_they_cost(page: Client, alice: User) -> None:
    events = (
        (0, "connected", {"action": "new", "outage_ms": 0}),
        (60, "connection_lost", {"reason": "network"}),
        (64, "connected", {"action": "resumed", "outage_ms": 4200}),
        (600, "ended", {"reason": "hung-up"}),
    )
    conversation = converse(alice, "Hi", events=events)
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert "Connected to gemini-3.8-live." in shown
    assert "The network to Gemini broke; the session went on where it was." in shown
    assert "Gap: 4.2 seconds. Nothing was lost." in shown
    assert "1 gap, 4.2 seconds in all. Nothing was lost." in shown
    assert "You hung up." in shown


def test_tokens_are_added_up_over_turns_and_over_the_chain(page: Client, alice: User) -> None:
    usage = {"prompt_tokens": 1500, "response_tokens": 90, "thoughts_tokens": 10}
    first = converse(alice, "One", reports=(usage, usage))
    second = converse(alice, "Two", continues=first, reports=(usage,))
    third = converse(alice, "Three", continues=second, reports=({"prompt_tokens": 5},))
    assert "3,000 in, 200 out" in text_of(page, f"/history/{first.pk}/")
    shown = text_of(page, f"/history/{third.pk}/")
    assert "5 in, 0 out With what it continues: 4,505 in, 300 out" in shown
    assert "Cost" not in shown


def test_the_cost_is_shown_while_there_are_prices(page: Client, alice: User, settings: Settings) -> None:
    settings.TOKEN_PRICES = '{"gemini-3.8-live": {"text_in": 3, "text_out": 12}}'
    usage = {"prompt_tokens": 4_000, "response_tokens": 20, "thoughts_tokens": 5}
    first = converse(alice, "One", reports=(usage,))
    second = converse(alice, "Two", continues=first, reports=(usage,))
    assert "Cost $0.0123 Transcript" in text_of(page, f"/history/{first.pk}/")
    assert "Cost $0.0123 With what it continues: $0.0246" in text_of(page, f"/history/{second.pk}/")
    unpriced = converse(alice, "Three", model="gemini-x", reports=(usage,))
    assert "Cost" not in text_of(page, f"/history/{unpriced.pk}/")
    settings.TOKEN_PRICES = ""
    assert "Cost" not in text_of(page, f"/history/{first.pk}/")


def test_a_chain_shows_the_earlier_and_the_later_conversation(page: Client, alice: User) -> None:
    first = converse(alice, "One", title="The first")
    second = converse(alice, "Two", title="The second", continues=first)
    converse(alice, "Three four", continues=second, is_over=False)
    assert "Continued in The second of" in text_of(page, f"/history/{first.pk}/")
    shown = text_of(page, f"/history/{second.pk}/")
    assert "Continues The first of" in shown
    assert "Continued in Three four of" in shown


def test_a_conversation_that_is_over_can_be_continued_in_both_modes(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi")
    shown = page.get(f"/history/{conversation.pk}/").content.decode()
    assert f'href="/call/?continue={conversation.pk}"' in shown
    assert f'href="/text/?continue={conversation.pk}"' in shown


def test_a_chat_that_goes_on_leads_to_its_page(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", mode="text", is_over=False)
    shown = page.get(f"/history/{conversation.pk}/").content.decode()
    assert "Go to the chat" in shown
    assert "continue=" not in shown
    assert "rename" not in shown


# -- exports -----------------------------------------------------------------------------------------------------------


def test_the_markdown_file_holds_all_that_is_to_be_read(page: Client, alice: User) -> None:
    conversation = converse(
        alice, "# Not a heading\nsecond line", "Answer", title="Title", summary="A talk.", facts=["Code: heron"]
    )
    response = page.get(f"/history/{conversation.pk}/export.md")
    assert response["Content-Disposition"] == 'attachment; filename="holdline-call-2026-11-20-1200.md"'
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    text = response.content.decode()
    assert text.startswith("# Title\n\n- Kind: Call\n- Began: 2026-11-20 12:00:00 UTC\n")
    assert "## Summary\n\nA talk.\n\n### Facts\n\n- Code: heron" in text
    assert "> # Not a heading\n> second line" in text
    assert "**Holdline** (2026-11-20 12:00:01 UTC)\n\n> Answer" in text


def test_the_json_file_holds_all_as_data(page: Client, alice: User) -> None:
    first = converse(alice, "One", title="First")
    conversation = converse(
        alice,
        "Hé",
        "Answer",
        continues=first,
        facts=["Code: heron"],
        events=((2, "connected", {"action": "new"}),),
        reports=({"prompt_tokens": 10},),
    )
    response = page.get(f"/history/{conversation.pk}/export.json")
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].endswith('.json"')
    data = json.loads(response.content)
    assert data["format"] == "holdline.conversation"
    assert data["id"] == str(conversation.pk)
    assert data["turns"][0] == {
        "turn": 0,
        "role": "user",
        "text": "Hé",
        "status": "complete",
        "at": "2026-11-20T12:00:00Z",
    }
    assert data["summary"]["facts"] == ["Code: heron"]
    assert data["continues"] == {"id": str(first.pk), "title": "First"}
    assert data["tokens"] == {"input": 10, "output": 0}
    assert data["timeline"][0]["text"] == "Connected to gemini-3.8-live."


def test_what_was_not_heard_of_an_interrupted_reply_is_marked_on_the_page_and_in_both_files(
    page: Client, alice: User
) -> None:
    conversation = converse(alice, "Tell me a story.", "Once upon a time there was a king.", title="A story")
    conversation.turns.filter(number=1).update(status="interrupted", heard=len("Once upon a time"))
    shown = text_of(page, f"/history/{conversation.pk}/")
    assert "Once upon a time Not heard: there was a king." in " ".join(shown.split())
    markdown = page.get(f"/history/{conversation.pk}/export.md").content.decode()
    assert "> Once upon a time [not heard: there was a king.]" in markdown
    turn = json.loads(page.get(f"/history/{conversation.pk}/export.json").content)["turns"][1]
    assert (turn["text"], turn["heard"]) == ("Once upon a time there was a king.", 16)


# -- changes -----------------------------------------------------------------------------------------------------------


def test_renaming_gives_a_title_that_stays(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", title="Old")
    path = f"/history/{conversation.pk}/"
    assert 'value="Old"' in page.get(f"{path}rename/").content.decode()
    assert page.post(f"{path}rename/", {"title": "New"})["Location"] == path
    assert "The title was changed." in text_of(page, path)
    history = CallHistory.objects.get()
    assert (history.title, history.is_title_given) == ("New", True)
    assert titles(page, "q=new") == ["New"]


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_title_that_is_none_is_refused_and_not_lost(page: Client, alice: User, title: str) -> None:
    conversation = converse(alice, "Hi", title="Old")
    response = page.post(f"/history/{conversation.pk}/rename/", {"title": title})
    assert response.status_code == 200
    assert 'aria-invalid="true"' in response.content.decode()
    assert CallHistory.objects.get().title == "Old"


def test_deleting_asks_first_and_takes_everything(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", title="Gone")
    asked = text_of(page, f"/history/{conversation.pk}/delete/")
    assert "Delete this conversation? “Gone”" in asked
    assert Conversation.objects.exists()
    assert page.post(f"/history/{conversation.pk}/delete/")["Location"] == "/history/"
    assert "The conversation was deleted." in text_of(page, "/history/")
    assert not Conversation.objects.exists()
    assert not LiveSession.objects.exists()


def test_what_is_open_in_a_page_right_now_is_not_deleted(page: Client, alice: User) -> None:
    conversation = converse(alice, "Hi", is_over=False)
    response = page.post(f"/history/{conversation.pk}/delete/")
    assert response.status_code == 409
    assert "open in a page right now, so it was not deleted" in response.content.decode()
    LiveSession.objects.update(ended_at=NOON)
    assert page.post(f"/history/{conversation.pk}/delete/").status_code == 302
    assert not Conversation.objects.exists()


def test_a_conversation_outlives_the_one_it_continues(page: Client, alice: User) -> None:
    first = converse(alice, "One")
    second = converse(alice, "Two", continues=first)
    page.post(f"/history/{first.pk}/delete/")
    assert "Two" in text_of(page, f"/history/{second.pk}/")


def test_deleting_all_states_the_number_and_leaves_what_is_open(page: Client, alice: User, bob: User) -> None:
    converse(alice, "One")
    converse(alice, "Two")
    converse(alice, "Three", is_over=False)
    converse(alice, "Left", mode="text", is_over=False, is_open=False)
    converse(bob, "Four")
    assert "Delete 3 conversations?" in text_of(page, "/history/delete-all/")
    assert page.post("/history/delete-all/")["Location"] == "/history/"
    assert "3 conversations were deleted." in text_of(page, "/history/")
    assert titles(page) == ["Three"]
    assert Conversation.objects.filter(user=bob).exists()
    assert "Nothing to delete" in text_of(page, "/history/delete-all/")


# -- around it ---------------------------------------------------------------------------------------------------------


def test_home_shows_what_was_said_last(page: Client, alice: User) -> None:
    assert "Recent conversations" not in text_of(page, "/")
    for number in range(4):
        converse(alice, f"Talk {number}", started_at=NOON - timedelta(hours=number))
    shown = text_of(page, "/")
    assert "Recent conversations" in shown
    assert "Talk 2" in shown
    assert "Talk 3" not in shown


@pytest.mark.parametrize("query", ["", "q=talk", "mode=call&model=gemini-3.8-live&since=2026-01-01"])
def test_a_long_list_takes_no_more_queries_than_a_short_one(
    page: Client, alice: User, query: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        converse(alice, f"Talk {number}", started_at=NOON - timedelta(hours=number), is_over=number % 10 != 0)
    titles(page, query)  # the first search makes the row that counts them
    with django_assert_max_num_queries(24 if "q=" in query else 10):
        assert len(titles(page, query)) == 25


def test_a_long_conversation_at_the_end_of_a_long_chain_takes_few_queries(
    page: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = None
    for _ in range(6):
        conversation = converse(alice, *["word"] * 40, continues=conversation, reports=({"prompt_tokens": 5},) * 20)
    assert conversation is not None
    with django_assert_max_num_queries(13):
        assert "600 in" in text_of(page, f"/history/{conversation.pk}/")


@pytest.mark.parametrize("path", ["/history/", "/history/{id}/", "/history/{id}/rename/", "/history/{id}/delete/"])
def test_a_page_keeps_the_policy_and_is_kept_in_no_cache(page: Client, alice: User, path: str) -> None:
    conversation = converse(alice, "Hi")
    response = page.get(path.format(id=conversation.pk))
    shown = response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", shown)
    assert [name for name in re.findall(r'(?:href|src)="/static/([^"]+)"', shown) if not finders.find(name)] == []
