"""A load run as a table for spreadsheets: a row for each point of its time series."""

from __future__ import annotations

import csv
import io
from typing import Any

PLAIN = ("at_s", "intended_per_s", "achieved_per_s", "missed", "held_back", "in_flight", "remaining")
QUANTILES = ("p50", "p95", "p99")


def render(result: dict[str, Any]) -> str:
    """Plain columns, then TTFT and duration in ms by quantile, then a column for each outcome that occurred, in the warm-up too."""
    outcomes = list(dict.fromkeys(name for row in (result, *result["series"]) for name in row["outcomes"]))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    times = [f"{name}_{quantile}_ms" for name in ("ttft", "duration") for quantile in QUANTILES]
    writer.writerow([*PLAIN, *times, *outcomes])
    for point in result["series"]:
        values = [*point["ttft_ms"], *point["duration_ms"], *(point["outcomes"].get(name, 0) for name in outcomes)]
        writer.writerow(["" if value is None else value for value in (*(point[name] for name in PLAIN), *values)])
    return out.getvalue()
