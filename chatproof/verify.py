"""``chatproof verify``: flags and files to profiles, profiles to runs, runs to reports and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import __version__
from .conformance.endpoint import Endpoint
from .conformance.profile import Profile, load_profile, profile
from .conformance.rejudge import record
from .conformance.result import as_json
from .conformance.run import Options, Progress, Run, exit_code, verify
from .inputs import dialect_named, fail, good_file
from .output import show, write_faces
from .spec import Dialect, names

OUT_FACES = ("result.json", "report.html", "junit.xml", "summary.md")


def main(
    *,
    url: str | None,
    dialects: tuple[str, ...],
    profile_file: Path | None,
    api_key: str | None,
    agent: str | None,
    level: str,
    select: tuple[str, ...],
    max_requests: int | None,
    pace: str | None,
    seed: int | None,
    strict: bool,
    fail_fast: bool,
    out: Path | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    verbose: bool,
) -> int:
    """See ``chatproof verify --help``; returns the exit code."""
    data = good_file(load_profile, profile_file) if profile_file else {}
    budget = {"requests": max_requests, "pace": _pace(pace)}
    data["budget"] = {**data.get("budget", {}), **{key: value for key, value in budget.items() if value is not None}}
    options = Options(level, select, fail_fast, strict, seed)
    if url is None and "base_url" not in data:
        targets = _simulated(dialects, data)
    else:
        targets = _given(url, dialects, data, api_key, agent)
    runs: list[Run] = []
    with targets as pairs:
        for one, dialect in pairs:
            with _progress(dialect) as hear:
                runs.append(verify(one, dialect, options, hear))
            if runs[-1].facts.reason == "interrupted":
                break
    _check_selection(runs, select)
    result = as_json(runs, __version__)
    _write_all(result, runs, out, {".json": json_file, ".xml": junit_file, ".html": html_file})
    if json_file != Path("-"):
        show(result, verbose=verbose)
    return exit_code(runs, strict=strict)


@contextmanager
def _simulated(dialects: tuple[str, ...], data: dict[str, Any]) -> Iterator[list[tuple[Profile, Dialect]]]:
    """A simulator on a free port, and a profile of it for each dialect. A profile file may not speak of another target."""
    from .simulator.app import running
    from .simulator.population import profile as population

    stray = sorted(set(data) - {"budget", "deadlines", "rulings"})
    if stray:
        fail(f"the profile has {', '.join(stray)} but no base_url, and no URL was given")
    chosen = [dialect_named(name) for name in dialects or names()]
    with running(chosen) as server:
        yield [
            (profile({**population(one), **data, "base_url": server.url(one.name), "dialect": one.name}), one)
            for one in chosen
        ]


@contextmanager
def _given(
    url: str | None, dialects: tuple[str, ...], data: dict[str, Any], api_key: str | None, agent: str | None
) -> Iterator[list[tuple[Profile, Dialect]]]:
    """The one target that flags and file describe; whatever is missing is asked for by its flag."""
    if url is not None:
        data["base_url"] = url
    if len(dialects) > 1:
        fail("one --dialect at a time with a URL: each has its own paths and keys")
    if dialects:
        data["dialect"] = dialects[0]
    if api_key:
        data["credentials"] = {**data.get("credentials", {}), "valid": api_key}
    if agent:
        data["agents"] = {**data.get("agents", {}), "default": agent}
    if "dialect" not in data:
        fail(f"--dialect is needed with a URL: one of {', '.join(names())}, or a folder")
    dialect = dialect_named(data["dialect"])
    if not data.get("credentials", {}).get("valid"):
        fail("--api-key is needed (or credentials.valid in a profile): a key that the target takes")
    if not data.get("agents", {}).get("default"):
        fail("--agent is needed (or agents.default in a profile): the id of an agent to talk to")
    try:
        Endpoint.parse(data["base_url"])
    except ValueError as error:
        fail(str(error))
    yield [(profile({**data, "dialect": dialect.name}), dialect)]


def _pace(text: str | None) -> str | int | None:
    if text is None or text in ("auto", "off"):
        return text
    if not text.isdecimal() or int(text) == 0:
        fail(f"--pace: expected auto, off or a number of requests a minute, got {text!r}")
    return int(text)


@contextmanager
def _progress(dialect: Dialect) -> Iterator[Callable[[Progress], None]]:
    """One line on a terminal that says what is being played; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{dialect.name}: preflight") as status:
        yield lambda p: status.update(f"{dialect.name}: {p.scenario} ({p.number}/{p.of}, {p.requests} requests)")


def _check_selection(runs: list[Run], select: tuple[str, ...]) -> None:
    """A glob that matches nothing is a mistake, not a green run."""
    if select and not any(run.judged for run in runs):
        fail(f"--select: no requirement matches {' or '.join(select)}; see `chatproof explain '*'`")


def _write_all(result: dict[str, Any], runs: list[Run], out: Path | None, files: dict[str, Path | None]) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name in OUT_FACES:
            write_faces(result, {Path(name).suffix: out / name})
        for run in runs:
            path = out / f"{run.dialect.name}.jsonl"
            record(run, path)
    write_faces(result, files)
