"""Flags of ``chatproof load`` that say two different things, or that what is asked for would leave unread: told before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .load.metrics import METRICS
from .load.objective import Objective

STDOUT = Path("-")
FILES = {
    "json_file": "--json",
    "html_file": "--html",
    "csv_file": "--csv",
    "junit_file": "--junit",
    "markdown_file": "--markdown",
    "turn_file": "--turns",
}
"""Option -> its flag, of all that is written."""
OF_A_RUN = {
    "rate": "--rate",
    "users": "--users",
    "schedule": "--schedule",
    "find_capacity": "--find-capacity",
    "most": "--most",
    "objective": "--objective",
    "prompts": "--prompts",
    "conversation_turns": "--conversation-turns",
    **{name: flag for name, flag in FILES.items() if name != "json_file"},
}
"""What a run heeds, and neither a probe nor a calibration."""


def unread(options: dict[str, Any], what: str) -> str:
    """Which flags ``what`` would leave unread, in one line; nothing if it leaves none."""
    given = [flag for name, flag in OF_A_RUN.items() if options.get(name)]
    return f"{what} takes no {', '.join(given)}; leave that out" if given else ""


def clashes(options: dict[str, Any], start: float) -> Iterator[str]:
    """What contradicts what. ``start``: the rate or the users that a search begins at."""
    searches, most, pacing = options["find_capacity"], options["most"], options["pacing"]
    if pacing == "probe" and (said := unread(options, "--pacing probe")):
        yield said
    if searches and pacing == "respect":
        yield "--find-capacity raises the load, and --pacing respect holds it back; give one of them"
    if most is not None and not searches:
        yield "--most is where --find-capacity ends; give both or neither"
    if searches and most is not None and most < start:
        yield f"--find-capacity begins at {start:g}, which is above --most {most:g}"
    if searches and options["turn_file"]:
        yield "--turns: a search is many runs; write the turns of one of them, without --find-capacity"
    yield from _files(options)


def _files(options: dict[str, Any]) -> Iterator[str]:
    """What is written twice to one place would be neither."""
    known: dict[Path, str] = {}
    for name, flag in FILES.items():
        path: Path | None = options[name]
        if path is None:
            continue
        if path == STDOUT and name == "turn_file":
            yield "--turns: expected a file; - is for the faces of a result"
        other = known.setdefault(path.absolute(), flag)
        if other != flag:
            yield f"{other} and {flag} both write {'to standard output' if path == STDOUT else path}; give each a file of its own"


def unmeasured(objective: Objective, *, json_replies: bool) -> str:
    """Why an objective has nothing to be judged by, whatever comes; nothing if it may have."""
    metric = METRICS.get(objective.subject.rpartition(" ")[2]) if objective.kind == "quantity" else None
    if not json_replies or metric is None or not metric.streams:
        return ""
    whole = ", ".join(name for name, one in METRICS.items() if not one.streams)
    return f"{objective.text!r}: JSON replies have no {metric.name}, only {whole}; leave out --json-replies"
