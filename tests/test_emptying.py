"""After a test that commits the database is as the migrations left it."""

import pytest
from django.contrib.auth.models import Permission, User

from energy.models import Notice, Persona
from tests.emptying import Emptying

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_test_wrote_is_gone_and_what_migrations_wrote_is_there() -> None:
    personas, notices, permissions = Persona.objects.count(), Notice.objects.count(), Permission.objects.count()
    assert personas
    emptying = Emptying()
    User.objects.create_user("carol")
    emptying.empty()
    assert not User.objects.exists()
    assert (Persona.objects.count(), Notice.objects.count()) == (personas, notices)
    assert Permission.objects.count() == permissions


def test_what_a_test_changed_of_it_is_put_back() -> None:
    before = list(Persona.objects.order_by("pk").values())
    emptying = Emptying()
    Persona.objects.create(slug="mine", name="Mine")
    Persona.objects.filter(pk=before[0]["id"]).delete()
    emptying.empty()
    assert list(Persona.objects.order_by("pk").values()) == before
