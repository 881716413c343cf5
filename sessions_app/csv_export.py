"""The rows of an admin list as a CSV file."""

from __future__ import annotations

import csv
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
    name = f"{model_admin.opts.verbose_name_plural}.csv".replace(" ", "-")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
    writer = csv.writer(response)
    writer.writerow(label_for_field(column, model_admin.model, model_admin) for column in columns)
    for row in rows:
        writer.writerow(_cell(lookup_field(column, row, model_admin)[2]) for column in columns)
    return response


def _cell(value: object) -> str:
    """A spreadsheet takes a text that begins like a formula for one, and runs it; a quote in front prevents that."""
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(_READ_AS_FORMULA) else text
