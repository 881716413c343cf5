"""What operators are told of the figures is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.composition import figures_registry, registry
from config.metrics.exposition import Exposition
from config.metrics.rows import read_rows
from tests.metrics.scrape import OPEN_METRICS, Scrape

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
WATCHING = PAGE.partition("## Watching it")[2].partition("\n## ")[0]

pytestmark = pytest.mark.django_db(transaction=True)


async def answers() -> None:
    """A channel layer that is there."""


@pytest.fixture
async def scrape() -> Scrape:
    """Of a web process that has just started."""
    text, _ = await Exposition(figures_registry, registry, answers, read_rows).answer(OPEN_METRICS)
    return Scrape(text.decode())


def described() -> dict[str, set[str]]:
    """The labels of each figure in the tables of the page."""
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| ([a-z, ]*) ?\|", WATCHING, re.MULTILINE)
    return {
        name: {label for label in labels.strip().split(", ") if label}
        for names, labels in rows
        for name in re.findall(r"`([a-z_]+)`", names)
    }


async def test_the_page_for_operators_describes_every_figure_with_its_labels(scrape: Scrape) -> None:
    found = {
        name: {label for labels in scrape.labels_of(name) for label in labels if label != "le"}
        for name in scrape.families
    }
    assert described() == found


async def test_no_label_can_grow_without_bound(scrape: Scrape) -> None:
    """Everything that there can be is there from the start."""
    assert 500 < len(scrape.samples) < 2_500
