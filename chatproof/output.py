"""Results shown and written."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from .inputs import fail
from .reports import scorecard
from .reports.write import FACES


def show(result: dict[str, Any], *, verbose: bool = False) -> None:
    """The scorecard on standard output: in colour and to width on a terminal, plain in a pipe."""
    terminal = sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, 120) if terminal else None
    click.echo(scorecard.render(result, width=width, color=terminal, verbose=verbose), nl=False)


def write_text(path: Path, text: str) -> None:
    """Write a text file, folders on the way included; one clear line if it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror or error}")


def write_faces(result: dict[str, Any], files: Mapping[str, Path | None]) -> None:
    """Write the result to each file as the face named beside it, whatever the file is called; ``-`` is standard output."""
    for face, path in files.items():
        if path is None:
            continue
        if path == Path("-"):
            click.echo(FACES[face](result), nl=False)
        else:
            write_text(path, FACES[face](result))
