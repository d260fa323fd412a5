"""Counters over all requests, in the text format that Prometheus reads (version 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from .journal import Entry

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]


class Metrics:
    """What has been counted since the start; it hears of a request when it is over."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self.left = 0

    def __call__(self, entry: Entry) -> None:
        about = entry.about
        self.requests[about.dialect, about.operation, str(entry.status)] += 1
        if about.refusal:
            self.refusals[about.dialect, about.refusal] += 1
        for fault in about.faults:
            self.faults[fault] += 1
        self.left += entry.closed == "client"

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All of them. ``gauges``: further figures of the moment, by name, with what they mean."""
        lines = [
            *_family("requests_total", "counter", "Requests that are over.", (
                ((("dialect", d), ("operation", o), ("status", s)), n) for (d, o, s), n in sorted(self.requests.items()))),
            *_family("refusals_total", "counter", "Requests that were refused, by reason.", (
                ((("dialect", d), ("reason", r)), n) for (d, r), n in sorted(self.refusals.items()))),
            *_family("faults_fired_total", "counter", "Answers that a fault has changed.", (
                ((("fault", name),), n) for name, n in sorted(self.faults.items()))),
            *_family("clients_left_total", "counter", "Responses whose client left before the end.", [((), self.left)]),
        ]  # fmt: skip
        for name, (meaning, value) in gauges.items():
            lines += _family(name, "gauge", meaning, [((), value)])
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, meaning: str, rows: Iterable[tuple[Labels, float]]) -> list[str]:
    full = f"chatproof_{name}"
    shown = [
        f"{full}{_braces(labels)} {value:g}" if value < 1e6 else f"{full}{_braces(labels)} {value:.0f}"
        for labels, value in rows
    ]
    return [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", *shown]


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
