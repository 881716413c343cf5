"""A scrape, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class Scrape:
    """`families`: the type of each figure by its name. `samples`: every value by name and labels."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, str] = {}
        self.samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            self.families[family.name] = family.type
            for sample in family.samples:
                self.samples[sample.name, frozenset(sample.labels.items())] = sample.value

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels, and maybe others. Fails where there is none."""
        found = [
            value for (each, has), value in self.samples.items() if each == name and labels.items() <= dict(has).items()
        ]
        assert found, f"{name}{labels} is not in the scrape"
        return sum(found)

    def labels_of(self, family: str) -> set[frozenset[str]]:
        """The sets of labels that the samples of a figure have."""
        ends = ("", "_total", "_count", "_sum", "_bucket", "_created")
        names = {family + end for end in ends}
        return {frozenset(key for key, _ in labels) for name, labels in self.samples if name in names}

    def counters(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """What may never fall."""
        ends = ("_total", "_count", "_sum", "_bucket")
        return {key: value for key, value in self.samples.items() if key[0].endswith(ends)}


def risen(before: Scrape, after: Scrape, names: Iterable[str]) -> dict[str, Any]:
    """What of these counters has risen, as `name{mode,...}`, and by how much."""
    rises = {}
    for (name, labels), value in after.samples.items():
        if name in names and (difference := value - before.samples.get((name, labels), 0)):
            rises[f"{name} {' '.join(text for _, text in sorted(labels))}"] = difference
    return rises
