"""Results shown and written."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from .inputs import fail
from .reports import scorecard
from .reports.store import hindrance, store
from .reports.write import FACES, LOAD

STDOUT = Path("-")


def show(result: dict[str, Any], *, verbose: bool = False) -> bool:
    """The scorecard, or the summary of a load run, on standard output: to width on a terminal, and in colour unless ``NO_COLOR`` is set; plain in a pipe.

    Returns whether it could be written, as ``say`` does.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 120) if terminal else None
    color = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if result["kind"] == LOAD:
        from .reports import load_text

        return say(load_text.render(result, color=color))
    return say(scorecard.render(result, width=width, color=color, verbose=verbose))


def say(text: str) -> bool:
    """Write to standard output. One line on standard error if it takes nothing (a disk that is full), and none if its reader has gone, which is no
    error; either way there is no more of it, and whatever else is to be written is.
    """
    try:
        click.echo(text, nl=False)
    except OSError as error:
        hush()
        if isinstance(error, BrokenPipeError):
            return True
        click.echo(f"chatproof: standard output: cannot be written: {error.strerror or error}", err=True)
        return False
    return True


def hush() -> None:
    """Nothing more goes to standard output, what was kept back for it included, which Python would try to write at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_writable(files: Mapping[str, Path | None]) -> None:
    """Before anything is sent: end with one line for the first option whose file could not be written."""
    for option, path in files.items():
        why = None if path is None or path == STDOUT else hindrance(path)
        if why is not None:
            fail(f"{option}: {path}: cannot be written: {why}")


def check_new(path: Path) -> None:
    """Before anything is asked: end with one line if ``path`` is there already, or cannot be."""
    try:
        there = path.exists()
    except OSError as error:
        fail(unwritten(path, error))
    if there:
        fail(f"{path}: exists already; give another name with --out")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all, folders on the way included; one clear line if it cannot be."""
    try:
        store(path, text)
    except OSError as error:
        fail(unwritten(path, error))


def write_faces(result: dict[str, Any], files: Iterable[tuple[str, Path | None]]) -> bool:
    """Write the result to each file as the face named beside it, whatever the file is called; ``-`` is standard output.

    One line on standard error for each that cannot be written; returns whether all were.
    """
    good = True
    for face, path in files:
        if path is None:
            continue
        try:
            if path == STDOUT:
                good &= say(FACES[face](result))
            else:
                store(path, FACES[face](result))
        except OSError as error:
            click.echo(f"chatproof: {unwritten(path, error)}", err=True)
            good = False
    return good


def unwritten(path: Path, error: OSError) -> str:
    """What to say of a file that could not be written."""
    return f"{path}: cannot be written: {error.strerror or error}"
