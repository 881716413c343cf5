"""Sound is kept for pages that come back, and for no more of them than there is room for."""

from __future__ import annotations

import datetime
import uuid

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from energy.levels import Mode
from sessions_app import kept_sound
from sessions_app.kept_sound import KEPT, PAGES_OF_A_USER
from sessions_app.live.parcel import Parcel
from sessions_app.models import KeptSound

pytestmark = pytest.mark.django_db

SOUND = Parcel(2, ((0, b"ab"), (1, b"cd")))


def page_life(number: int = 0) -> uuid.UUID:
    return uuid.UUID(int=number)


def pass_time(by: datetime.timedelta) -> None:
    for row in KeptSound.objects.all():
        row.until -= by
        row.save()


def test_a_page_that_comes_back_within_ten_minutes_gets_its_sound_once(alice: User) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
        pass_time(KEPT - datetime.timedelta(seconds=1))
        assert kept_sound.take(alice.pk, Mode.CALL, page_life()) == SOUND
        assert kept_sound.take(alice.pk, Mode.CALL, page_life()) is None


def test_after_ten_minutes_it_is_gone(alice: User) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
    pass_time(KEPT)
    assert kept_sound.take(alice.pk, Mode.CALL, page_life()) is None


def test_what_nobody_comes_back_for_is_forgotten_with_the_next_that_is_kept(alice: User, bob: User) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
    pass_time(KEPT)
    kept_sound.keep(bob.pk, Mode.CALL, page_life(), SOUND)
    assert [row.user for row in KeptSound.objects.all()] == [bob]


def test_nobody_else_gets_it(alice: User, bob: User) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
    assert kept_sound.take(bob.pk, Mode.CALL, page_life()) is None
    assert kept_sound.take(alice.pk, Mode.TEXT, page_life()) is None
    assert kept_sound.take(alice.pk, Mode.CALL, page_life(1)) is None


def test_a_page_that_has_heard_everything_takes_no_room(alice: User) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), Parcel(next_down=5))
    assert not KeptSound.objects.exists()


def test_it_is_not_to_be_read_in_the_rows_and_gone_with_its_key(alice: User, settings: Settings) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), Parcel(1, ((0, b"heard by nobody"),)))
    assert b"heard by nobody" not in bytes(KeptSound.objects.get().ciphertext)
    settings.HANDLE_FERNET_KEYS = [Fernet.generate_key().decode()]
    assert kept_sound.take(alice.pk, Mode.CALL, page_life()) is None


def test_of_many_pages_of_a_user_the_last_are_kept_in_each_mode(alice: User) -> None:
    for mode in Mode:
        for number in range(5):
            kept_sound.keep(alice.pk, mode, page_life(number), SOUND)
    for mode in Mode:
        there = [number for number in range(5) if kept_sound.take(alice.pk, mode, page_life(number))]
        assert there == list(range(5 - PAGES_OF_A_USER, 5))


def test_of_more_than_there_is_room_for_the_oldest_goes(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_sound.keep(alice.pk, Mode.CALL, page_life(), SOUND)
    monkeypatch.setattr(kept_sound, "LIMIT_BYTES", 2 * KeptSound.objects.get().size_bytes)
    KeptSound.objects.update(until=timezone.now() + KEPT / 2)
    kept_sound.keep(bob.pk, Mode.CALL, page_life(), SOUND)
    assert KeptSound.objects.count() == 2
    kept_sound.keep(bob.pk, Mode.TEXT, page_life(), SOUND)
    assert set(KeptSound.objects.values_list("user", "mode")) == {(bob.pk, "call"), (bob.pk, "text")}
