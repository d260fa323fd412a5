"""The requirements of a run as HTML: each a line that unfolds to its proof and its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markup import Markup, join, prose, tag
from .result import COUNTED, OUTCOMES, Row, Run, by_family, by_reason, citation, place, tally
from .text import counted

OPEN = ("fail", "error")
"""The outcomes whose requirements are unfolded from the start."""


def run_section(run: Run, name: str) -> Markup:
    """Every requirement of a run, family by family; ``name`` is its anchor."""
    families = [_family(name, family, found) for family, found in by_family(run).items()]
    return tag("section", tag("h2", run["dialect"]), _why_open(run), *families, class_="run", id=name, data_run=name)


def _why_open(run: Run) -> Markup | None:
    """Why requirements were left open, once per reason."""
    groups = by_reason(run)
    if not groups:
        return None
    items = []
    for (outcome, reason), found in groups.items():
        ids = tag("span", ", ".join(row["id"] for row in found), class_="ids")
        items.append(tag("li", outcome_badge(outcome), tag("span", prose(reason)), ids))
    count = counted(sum(len(found) for found in groups.values()), "requirement")
    return tag("details", tag("summary", f"Left open: {count}, and why"), tag("ul", *items), class_="box why")


def _family(name: str, family: str, found: list[Row]) -> Markup:
    heading = tag("div", tag("h3", family), outcome_counts(tally(found)), class_="heading")
    return tag("section", heading, *(_requirement(name, family, row) for row in found), class_="family")


def _requirement(name: str, family: str, row: Row) -> Markup:
    anchor = f"{name}/{row['id']}"
    line = tag(
        "summary",
        outcome_badge(row["outcome"]),
        tag(
            "span",
            tag("code", row["id"], class_="id"),
            tag("span", prose(row["statement"]), class_="statement"),
            class_="what",
        ),
        tag("span", row["level"], class_=f"level {row['level'].lower()}"),
    )
    body = tag(
        "div",
        tag("p", prose(row["reason"]), class_="reason") if row["reason"] else None,
        *(_finding(finding) for finding in row["findings"]),
        _facts(row, anchor),
        class_="body",
    )
    data = {"data_run": name, "data_family": family, "data_outcome": row["outcome"], "data_level": row["level"]}
    return tag("details", line, body, class_="requirement", id=anchor, open=row["outcome"] in OPEN, **data)


def _facts(row: Row, anchor: str) -> Markup:
    facts = {
        "Source": citation(row),
        "Evidence": row["evidence"],
        "Ruling": row["ambiguity"],
        "Check": row["check"],
    }
    pairs = [join(tag("dt", term), tag("dd", text)) for term, text in facts.items() if text]
    return tag(
        "dl", *pairs, join(tag("dt", "Link"), tag("dd", tag("a", f"#{anchor}", href=f"#{anchor}"))), class_="facts"
    )


def _finding(finding: Mapping[str, Any]) -> Markup:
    where = place(finding)
    return tag(
        "section",
        tag("p", where, class_="place") if where else None,
        tag(
            "div",
            tag("div", tag("h4", "Expected"), tag("pre", finding["expected"], tabindex=0)),
            tag("div", tag("h4", "Got"), tag("pre", finding["got"], tabindex=0, class_="got")),
            class_="sides",
        ),
        _proof("Bytes", finding["window"]),
        _proof(
            "Repeat",
            finding["curl"],
            tag("button", "Copy", type="button", class_="copy", aria_label="Copy the command"),
        ),
        class_="finding",
    )


def _proof(title: str, text: str | None, button: Markup | None = None) -> Markup | None:
    if not text:
        return None
    return tag("div", tag("h4", title, button), tag("pre", text, tabindex=0, class_="raw"))


def outcome_badge(outcome: str) -> Markup:
    """An outcome as a sign and a word."""
    label, sign, _ = OUTCOMES[outcome]
    return tag("span", tag("span", sign, class_="sign", aria_hidden="true"), label, class_=f"badge {outcome}")


def outcome_counts(counts: Mapping[str, int]) -> Markup:
    """The outcomes that occur and their numbers."""
    shown = [outcome for outcome in COUNTED if counts[outcome]]
    items = [tag("li", tag("b", str(counts[key])), f" {OUTCOMES[key][0]}", class_=key) for key in shown]
    return tag("ul", *items, class_="counts")
