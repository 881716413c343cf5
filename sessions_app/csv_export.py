"""Tables of the operator's pages as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

_READ_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@admin.action(description="Export the selected rows as CSV", permissions=["view"])
def export_as_csv(model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse:
    """The columns of the list, under the names they have there; times are ISO 8601 in UTC."""
    columns = [str(column) for column in model_admin.get_list_display(request)]
    labels = [str(label_for_field(column, model_admin.model, model_admin)) for column in columns]
    lines = ([lookup_field(column, row, model_admin)[2] for column in columns] for row in rows)
    return csv_file(str(model_admin.opts.verbose_name_plural), labels, lines)


def csv_file(name: str, head: Iterable[str], lines: Iterable[Iterable[object]]) -> HttpResponse:
    """A file of this name to take away. Times are ISO 8601 in UTC."""
    headers = {"Content-Disposition": f'attachment; filename="{name.replace(" ", "-")}.csv"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return response


def _cell(value: object) -> str:
    """A spreadsheet takes a text that begins like a formula for one, and runs it; a quote in front prevents that."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_READ_AS_FORMULA) else text
