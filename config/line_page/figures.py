"""Figures of the operator's page: each leads to the list of the rows that it counts."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse

MaySee = Callable[[type[Model]], bool]
"""Whether who asks may see rows of a model in the admin. What they may not see is not counted for them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`url`: a list of the admin that has `count` rows."""

    count: int
    words: str
    url: str


def figure(count: int, words: str, model: type[Model], **filters: object) -> Figure:
    return Figure(count, words, rows_url(model, **filters))


def rows_url(model: type[Model], **filters: object) -> str:
    """The list of the rows of a model that these filters leave; times are exact."""
    opts = model._meta
    query = {name: _in_address(value) for name, value in filters.items()}
    return f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_changelist')}?{urlencode(query)}"


def row_url(model: type[Model], key: object) -> str:
    """The page of one row."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key])


def _in_address(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, bool):
        return str(int(value))
    return str(value)
