"""Numbers as people read them, in the language that counts."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.functional import lazy


def in_digits(number: int | float) -> str:
    """Such as 32,000 in English and 32.000 in German."""
    return number_format(number, use_l10n=True, force_grouping=True)


in_digits_lazily = lazy(in_digits, str)
"""The same, in the language that counts where it is told."""
