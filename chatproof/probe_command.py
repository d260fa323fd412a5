"""``chatproof load --pacing probe``: a key's real limit beside what its headers and the documents say."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from . import __version__
from .conformance.profile import Profile
from .load.line import Line
from .load.maker import Maker
from .load.preflight import Ready
from .load.probe import MOST, Probed, probe
from .output import write_text
from .spec import Dialect


def main(profile: Profile, dialect: Dialect, ready: Ready, options: dict[str, Any]) -> int:
    """The exit code: 0 if all fits together, 1 if it does not, 3 if no limit was met."""
    line = Line(profile)
    try:
        maker = Maker(dialect, profile, not options["json_replies"], ready.via)
        found = probe(line, maker, ready.turns, min(options["max_requests"], MOST))
    finally:
        line.close()
    problems = found.problems(dialect)
    plans = [name for name, plan in dialect.plans.items() if plan.requests_per_minute == found.granted]
    for text in _lines(found, plans):
        click.echo(text)
    for problem in problems:
        click.echo(f"✕ {problem}")
    if options["json_file"] is not None:
        told = {"chatproof": __version__, "kind": "limit-probe", "target": profile.base_url, "dialect": dialect.name}
        result = {**told, **asdict(found), "as_documented": plans, "problems": problems}
        write_text(options["json_file"], json.dumps(result, indent=1) + "\n")
    if not found.limited:
        return 3
    return 1 if problems else 0


def _lines(found: Probed, plans: list[str]) -> list[str]:
    if not found.limited:
        why = f"then something else came: {found.other}" if found.other else "and no 429 came"
        return [f"{found.granted} requests were granted in {found.took_s:.1f} s, {why}; the limit was not found"]
    said = ", ".join(map(str, found.limits)) or "nothing"
    like = f"the documented plan {' or '.join(plans)}" if plans else "no documented plan"
    lines = [f"{found.granted} requests were granted before the first 429, in {found.took_s:.1f} s: {like}"]
    lines.append(f"the headers said {said}")
    if found.told_s is not None:
        again = {True: "and then it was granted again", False: "and then it was refused again", None: "not waited out"}
        lines.append(f"the 429 told to wait {found.told_s:.1f} s, {again[found.after]}")
    return lines
