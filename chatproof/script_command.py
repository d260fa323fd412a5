"""``chatproof check``, and ``chatproof init --script`` (``--from-har``): scripts of the fake backend, before they are served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from .inputs import dialect_named, fail, good_words
from .output import check_new, write_text
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
    check_new(out)
    write_text(out, EXAMPLE.read_text("utf-8"))
    click.echo(f"wrote {out}; next: chatproof check {out} && chatproof serve --script {out} --watch\n")
    click.echo("and, once it serves, a conversation of two turns:")
    routes = Routes(_chosen(()))
    for command in curls(load(EXAMPLE, routes.dialects), routes, URL, SAID):
        click.echo(f"  {command}")
    return 0


def from_archive(path: Path, out: Path, dialect_name: str | None) -> int:
    """See ``chatproof init --help``: a script of the conversations in a HAR; an existing file is never overwritten."""
    from .simulator.record.har import exchanges
    from .simulator.record.reading import find
    from .simulator.record.recorder import Recorder

    check_new(out)
    routes = Routes(_chosen((dialect_name,) if dialect_name else ()))
    named = " or ".join(one.name for one in routes.dialects)
    everything = good_words(lambda: exchanges(path))
    recorder = Recorder(routes, path.name)
    chats = [one for one in everything if find(one.asked, routes) is not None]
    for one in chats:
        recorder.add(one)
    for left in recorder.left_out:
        click.echo(f"#{left.number} left out: {recorder.scrubber.clean(left.why)}", err=True)
    if not recorder.heard:
        fail(f"{path}: none of its {len(everything)} requests has an answer in {named} that a script can give")
    write_text(out, recorder.text(out.name))
    others = len(everything) - len(chats)
    click.echo(f"wrote {out}: {recorder.counts}" + (f"; {others} other requests are no chats" if others else ""))
    result = checked(out, routes.dialects)
    for line in result.lines():
        click.echo(line, err=True)
    click.echo(f"next: chatproof serve --script {out}")
    return 0 if result.script is not None else 2


def _chosen(dialects: Sequence[str]) -> list[Dialect]:
    return [dialect_named(name) for name in dialects] or [dialect(name) for name in names()]
