"""A load run for a pull request: the verdict, the objectives, the times, the outcomes."""

from __future__ import annotations

from typing import Any

from .text import visible

MARKS = {True: "✅", False: "❌", None: "❔"}
STATISTICS = ("p50", "p90", "p95", "p99", "max")


def render(result: dict[str, Any]) -> str:
    """GitHub's Markdown, short."""
    plan, summary = result["plan"], result["summary"]
    model = f"{plan['users']} users" if plan["model"] == "closed" else f"`{_cell(plan['schedule'])}`"
    lines = [
        f"## chatproof load: {result['verdict']}",
        "",
        f"`{_cell(result['target'])}`, {result['dialect']}, {model}, {result['duration_s']:.0f} s",
        f"{summary['sent']} turns, {summary['achieved_per_s']:.1f}/s sent, {summary['goodput_per_s']:.1f}/s good",
    ]
    lines += ["", _cell(result["reason"])] if result["reason"] else []
    if result["capacity"]:
        lines += ["", f"`{_cell(result['capacity']['objective'])}`: {_cell(result['capacity']['words'])}"]
    lines += ["", "| | objective | got |", "|---|---|---|"]
    lines += [
        f"| {MARKS[row['kept']]} | `{_cell(row['objective'])}` | {_cell(row['got'])} |" for row in result["objectives"]
    ]
    if result["metrics"]:
        lines += ["", "| | " + " | ".join(STATISTICS) + " |", "|---|" + "---:|" * len(STATISTICS)]
        lines += [
            f"| {name}, {row['unit']} | "
            + " | ".join("-" if row[one] is None else f"{row[one]:.1f}" for one in STATISTICS)
            + " |"
            for name, row in result["metrics"].items()
        ]
    lines += ["", "| outcome | turns | why |", "|---|---:|---|"]
    lines += [
        f"| {name} | {row['count']} | {_cell(next(iter(row['why']), ''))} |" for name, row in result["outcomes"].items()
    ]
    bad = [sign for sign in result["validity"]["signs"] if not sign["good"]]
    lines += ["", *(f"- generator: {sign['name']} {sign['got']}, {sign['limit']}" for sign in bad)] if bad else []
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("`", "'")
