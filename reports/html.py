"""One self-contained HTML page: filters, every requirement with its source and its proof. It loads nothing from anywhere.

The page works without its script (everything is there, nothing filters). A Content-Security-Policy names the hashes of our
style and script, so that nothing a target sent could run even if it slipped through the escaping.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from .html_rows import OPEN, outcome_badge, outcome_counts, run_section
from .markup import Markup, join, prose, tag
from .result import (
    COUNTED,
    LEVELS,
    OUTCOMES,
    VERDICTS,
    Result,
    Run,
    anchors,
    by_family,
    decided,
    of_outcome,
    overall,
    rows,
    runs,
    tally,
)
from .text import counted

TEMPLATES = Path(__file__).parent / "templates"


def render(result: Result) -> str:
    """The report as a page."""
    style, script = _template("verification.css"), _template("verification.js")
    verdict = overall(result)
    return Template(_template("verification.html")).substitute(
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        title=join(f"{verdict} · {_target(result) or counted(len(runs(result)), 'run')} · chatproof"),
        style=style,
        script=script,
        header=_header(result, verdict),
        filters=_filters(result),
        body=join(*(run_section(run, name) for run, name in _named(result))),
    )


def _header(result: Result, verdict: str) -> Markup:
    sign, tone = VERDICTS[verdict]
    counts = tally(row for _, row in rows(result))
    total, target = sum(counts.values()), _target(result)
    return tag(
        "header",
        tag("p", f"chatproof {result['chatproof']}", class_="mark"),
        tag("h1", tag("span", sign, class_=f"seal {tone}", aria_hidden="true"), _capital(verdict)),
        tag("p", tag("code", target), class_="target") if target else None,
        tag("p", f"{decided(counts)} of {counted(total, 'requirement')} decided", class_="lead"),
        tag("div", *(_card(run, name, run["target"] != target) for run, name in _named(result)), class_="cards"),
        _broken(result),
        class_="page",
    )


def _card(run: Run, name: str, with_target: bool) -> Markup:
    """One dialect at a glance."""
    sign, tone = VERDICTS[run["verdict"]]
    counts = tally(run["requirements"])
    return tag(
        "section",
        tag("h2", tag("a", run["dialect"], href=f"#{name}")),
        tag("p", tag("span", f"{sign} {run['verdict']}", class_=f"verdict {tone}")),
        _bar(counts),
        outcome_counts(counts),
        tag("p", prose(run["reason"]), class_="reason") if run["reason"] else None,
        tag("p", tag("code", run["target"]), class_="facts target") if with_target else None,
        tag("p", f"{counted(run['requests'], 'request')} in {run['duration_s']:.1f} s", class_="facts"),
        None if run["seed"] is None else tag("p", f"seed {run['seed']}", class_="facts"),
        tag("p", tag("time", _when(run["started"]), datetime=run["started"]), class_="facts"),
        class_="card",
    )


def _broken(result: Result) -> Markup | None:
    """Links to what broke, so that nobody has to look for it."""
    items = [
        tag(
            "li",
            outcome_badge(row["outcome"]),
            tag("a", tag("code", f"{name}/{row['id']}"), href=f"#{name}/{row['id']}"),
            tag("span", prose(row["statement"])),
        )
        for outcome in OPEN
        for run, name in _named(result)
        for row in of_outcome(run, outcome)
    ]
    if not items:
        return None
    return tag(
        "details", tag("summary", f"What broke ({len(items)})"), tag("ul", *items), class_="box broken", open=True
    )


def _bar(counts: Mapping[str, int]) -> Markup:
    """The outcomes as a bar; the words beside it say the same."""
    parts, left = [], 0
    for outcome in COUNTED:
        parts.append(tag("rect", x=left, y=0, width=counts[outcome], height=1, class_=f"fill {outcome}"))
        left += counts[outcome]
    box = f"0 0 {max(left, 1)} 1"
    return tag("svg", *parts, class_="bar", viewBox=box, preserveAspectRatio="none", aria_hidden="true")


def _filters(result: Result) -> Markup:
    every = [row for _, row in rows(result)]
    counts = tally(every)
    levels = [level for level in LEVELS if any(row["level"] == level for row in every)]
    families = sorted({family for run in runs(result) for family in by_family(run)})
    names = anchors(result)
    return tag(
        "form",
        tag(
            "fieldset",
            tag("legend", "Outcome"),
            *(_chip("outcome", key, OUTCOMES[key][0], counts[key]) for key in OUTCOMES if counts[key]),
        ),
        tag("fieldset", tag("legend", "Level"), *(_chip("level", key, key) for key in levels)),
        _select("run", "Every dialect", names) if len(names) > 1 else None,
        _select("family", "Every family", families),
        tag(
            "input",
            type="search",
            id="text",
            placeholder="Search  ( / )",
            aria_label="Search ids, statements and findings",
        ),
        tag("output", id="shown", aria_live="polite"),
        tag("button", "Unfold all", type="button", id="unfold"),
        tag("button", "Reset", type="reset"),
        class_="filters page",
        id="filters",
        role="search",
    )


def _chip(kind: str, key: str, label: str, count: int | None = None) -> Markup:
    number = None if count is None else tag("b", str(count))
    return tag(
        "button", label, number, type="button", class_=f"chip {key}", data_kind=kind, data_key=key, aria_pressed="false"
    )


def _select(kind: str, every: str, names: Iterable[str]) -> Markup:
    options = [tag("option", every, value=""), *(tag("option", name, value=name) for name in names)]
    return tag("select", *options, id=kind, aria_label=every)


def _named(result: Result) -> list[tuple[Run, str]]:
    return list(zip(runs(result), anchors(result), strict=True))


def _target(result: Result) -> str | None:
    """The base URL that all runs share, if they do."""
    targets = {run["target"] for run in runs(result)}
    return targets.pop() if len(targets) == 1 else None


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _when(started: str) -> str:
    return started.replace("T", " ").replace("Z", " UTC")


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
