"""``chatproof verify``: flags and files to profiles, profiles to runs, runs to reports and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click

from . import __version__
from .conformance.baseline import Entry, as_yaml, compare, load_baseline
from .conformance.rejudge import record
from .conformance.result import as_json
from .conformance.run import Options, Progress, Run, exit_code, verify
from .inputs import fail, good_file
from .output import check_writable, show, unwritten, write_faces, write_text
from .spec import Dialect
from .targets import targets

OUT_FACES = ("result.json", "report.html", "junit.xml", "summary.md", "result.sarif", "badge.svg")
UNWRITTEN = 2
"""The exit code of a good run whose report could not be written; a worse verdict keeps its own."""


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
    baseline: Path | None,
    write_baseline: Path | None,
    out: Path | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    verbose: bool,
) -> int:
    """See ``chatproof verify --help``; returns the exit code."""
    options = Options(level, select, fail_fast, strict, seed)
    files = {"--json": json_file, "--junit": junit_file, "--html": html_file, "--write-baseline": write_baseline}
    check_writable({**files, "--out": None if out is None else out / OUT_FACES[0]})
    entries = good_file(load_baseline, baseline) if baseline else None
    runs: list[Run] = []
    with targets(url, dialects, profile_file, api_key, agent, max_requests, pace) as pairs:
        for one, dialect in pairs:
            with _progress(dialect, one.max_requests) as hear:
                runs.append(verify(one, dialect, options, hear))
            if runs[-1].facts.reason == "interrupted":
                break
    _check_selection(runs, select)
    result = as_json(runs, __version__)
    good = json_file == Path("-") or show(result, verbose=verbose)
    good &= _write_all(result, runs, out, [(".json", json_file), (".xml", junit_file), (".html", html_file)])
    if write_baseline is not None:
        write_text(write_baseline, as_yaml(runs, date.today()))
    code = exit_code(runs, strict=strict)
    code = code if entries is None else _against(entries, runs, code)
    return code if good or code else UNWRITTEN


@contextmanager
def _progress(dialect: Dialect, budget: int | None) -> Iterator[Callable[[Progress], None]]:
    """One line on a terminal that says what is being played, and what is left of the budget; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{dialect.name}: preflight") as status:
        yield lambda p: status.update(f"{dialect.name}: {progress_line(p, budget)}")


def progress_line(progress: Progress, budget: int | None) -> str:
    """``session, stream: recall (4/12), 57 requests sent, 243 left``: the families that are decided, and by which scenario."""
    left = "" if budget is None else f", {max(budget - progress.requests, 0)} left"
    families = f"{', '.join(progress.families)}: " if progress.families else ""
    return f"{families}{progress.scenario} ({progress.number}/{progress.of}), {progress.requests} requests sent{left}"


def _against(entries: tuple[Entry, ...], runs: list[Run], code: int) -> int:
    """The exit code with known failures excused, and a line for each entry that must go."""
    found = compare(entries, runs, date.today())
    click.echo(f"baseline: {len(found.known)} known failures, {len(found.new)} new, {len(found.stale)} stale", err=True)
    for entry, why in found.stale:
        click.echo(f"  stale  {entry.dialect}: {entry.id}: {why}", err=True)
    for name in found.new:
        click.echo(f"  new    {name}", err=True)
    if found.stale:
        return 1
    return 0 if code == 1 and found.excused and all(run.verdict != "incomplete" for run in runs) else code


def _check_selection(runs: list[Run], select: tuple[str, ...]) -> None:
    """A glob that matches nothing is a mistake, not a green run."""
    if select and not any(run.judged for run in runs):
        fail(f"--select: no requirement matches {' or '.join(select)}; see `chatproof explain '*'`")


def _write_all(result: dict[str, Any], runs: list[Run], out: Path | None, files: list[tuple[str, Path | None]]) -> bool:
    """Every file that was asked for; what cannot be written is said and does not stop the others."""
    good = write_faces(result, files)
    if out is None:
        return good
    good &= write_faces(result, [(Path(name).suffix, out / name) for name in OUT_FACES])
    for run in runs:
        path = out / f"{run.dialect.name}.jsonl"
        try:
            record(run, path)
        except OSError as error:
            click.echo(f"chatproof: {unwritten(path, error)}", err=True)
            good = False
    return good
