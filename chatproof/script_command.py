"""``chatproof check``, and ``chatproof init --script``: scripts of the fake backend, before they are served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from .inputs import dialect_named, fail
from .output import write_text
from .simulator.routes import Routes
from .simulator.script.announce import curls
from .simulator.script.example import EXAMPLE, SAID
from .simulator.script.reading import check as checked
from .simulator.script.reading import load, schema
from .spec import Dialect, dialect, names

URL = "http://127.0.0.1:8080"
"""Where ``serve`` is by default."""


def check(*, files: Sequence[Path], dialects: Sequence[str], strict: bool, print_schema: bool) -> int:
    """See ``chatproof check --help``; findings go to standard error, one line a file to standard output."""
    if print_schema:
        click.echo(json.dumps(schema(), indent=2))
        return 0
    if not files:
        raise click.UsageError("Missing argument 'FILES...'.")
    chosen = _chosen(dialects)
    results = [checked(path, chosen) for path in files]
    for result in results:
        for line in result.lines():
            click.echo(line, err=True)
        click.echo(result.summary)
    return 2 if any(result.errors or (strict and result.warnings) for result in results) else 0


def init(out: Path) -> int:
    """See ``chatproof init --help``; an existing file is never overwritten."""
    if out.exists():
        fail(f"{out}: exists already; give another name with --out")
    write_text(out, EXAMPLE.read_text("utf-8"))
    click.echo(f"wrote {out}; next: chatproof check {out} && chatproof serve --script {out} --watch\n")
    click.echo("and, once it serves, a conversation of two turns:")
    routes = Routes(_chosen(()))
    for command in curls(load(EXAMPLE, routes.dialects), routes, URL, SAID):
        click.echo(f"  {command}")
    return 0


def _chosen(dialects: Sequence[str]) -> list[Dialect]:
    return [dialect_named(name) for name in dialects] or [dialect(name) for name in names()]
