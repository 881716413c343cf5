"""What operators are told of the figures is what there is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from config.composition import figures_registry, registry
from config.metrics.exposition import Exposition
from config.metrics.rows import read_rows
from tests.metrics.scrape import OPEN_METRICS, Scrape
from tests.services.processes import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
WATCHING = PAGE.partition("## Watching it")[2].partition("\n## ")[0]

MONITORING = ROOT / "deploy" / "monitoring"

OF_PROMETHEUS = ("job", "instance", "le")
"""Labels that are there before there is a scrape, and that of buckets."""

stored = pytest.mark.django_db(transaction=True)


async def answers() -> None:
    """A channel layer that is there."""


@pytest.fixture
async def scrape(monkeypatch: pytest.MonkeyPatch) -> Scrape:
    """Of a web process that has just started."""
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", PATIENCE_S)
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


@stored
async def test_the_page_for_operators_describes_every_figure_with_its_labels(scrape: Scrape) -> None:
    found = {
        name: {label for labels in scrape.labels_of(name) for label in labels if label != "le"}
        for name in scrape.families
    }
    assert described() == found


@stored
async def test_no_label_can_grow_without_bound(scrape: Scrape) -> None:
    """Everything that there can be is there from the start."""
    assert 500 < len(scrape.samples) < 2_500


# -- what is delivered for monitoring ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and where it stands."""

    where: str
    text: str


def of_dashboard() -> list[Query]:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    return [Query(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def nodes_of(query: Query) -> list[promql_parser.Expr]:
    """Every part of an expression. Raises `ValueError` where it is none."""
    nodes: list[promql_parser.Expr] = []
    promql_parser.walk(promql_parser.parse(query.text), nodes.append)
    return nodes


QUERIES = [*of_dashboard(), *(Query(rule["alert"], rule["expr"]) for rule in rules())]


@stored
async def test_every_query_asks_for_what_a_scrape_has(scrape: Scrape) -> None:
    for query in QUERIES:
        ask(scrape, query)


def ask(scrape: Scrape, query: Query) -> None:
    """Names, labels and their values have to be there."""
    nodes = nodes_of(query)
    selectors = [node for node in nodes if isinstance(node, promql_parser.VectorSelector)]
    assert selectors, query.where
    known = set(OF_PROMETHEUS)
    for selector in selectors:
        matchers = [matcher for matcher in selector.matchers.matchers if matcher.name not in OF_PROMETHEUS]
        if selector.name == "up":
            assert not matchers
            continue
        found = [dict(labels) for name, labels in scrape.samples if name == selector.name]
        assert found, f"{selector.name} is not in the scrape"
        known |= found[0].keys()
        for matcher in matchers:
            assert matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.Re), matcher.name
            values = {labels.get(matcher.name) for labels in found}
            wanted = matcher.value.split("|")
            assert set(wanted) <= values, f"{matcher.name} of {selector.name} is never {matcher.value}"
    asked = {
        label
        for node in nodes
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None
        for label in node.modifier.labels
    }
    assert asked <= known, f"{query.where} adds up by what is no label"


def test_figures_of_the_rows_are_never_added_up_over_processes() -> None:
    """Every process says the same of them."""
    of_rows = {name for name in described() if f"`{name}`" in WATCHING.partition("What all processes share")[2]}
    assert len(of_rows) > 10
    for query in QUERIES:
        for node in nodes_of(query):
            if isinstance(node, promql_parser.AggregateExpr) and isinstance(node.expr, promql_parser.VectorSelector):
                assert node.expr.name not in of_rows or str(node.op) in ("max", "min"), query.where


def test_every_alert_has_a_severity_a_sentence_and_a_place_on_the_page() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 10
    for rule in rules():
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"]["summary"]
    assert set(re.findall(r"^\| `(Holdline\w+)` \|", WATCHING, re.MULTILINE)) == set(names)


def test_panels_have_ids_and_places_of_their_own() -> None:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(ids)) == len(set(places)) == len(ids) > 20


def test_the_dashboard_shows_every_figure_of_holdline() -> None:
    ends = r"(_total|_bucket|_count|_sum)?$"
    shown = {
        re.sub(ends, "", node.name or "")
        for query in QUERIES
        for node in nodes_of(query)
        if isinstance(node, promql_parser.VectorSelector)
    }
    assert {name for name in described() if name.startswith("holdline_")} - shown == set()
