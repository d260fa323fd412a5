"""``chatproof compare``: what changed from one result to the next, and over many."""

from __future__ import annotations

from pathlib import Path

import click

from .inputs import fail
from .output import write_text
from .reports.comparison import incomparable
from .reports.comparison_faces import FACES, Compared, text
from .reports.write import BadReport, load

BROKEN, INCOMPLETE = 1, 3


def main(*, files: tuple[Path, ...], targets: tuple[Path, ...], strict: bool) -> int:
    """See ``chatproof compare --help``; returns the exit code."""
    if len(files) < 2:
        fail("FILES: expected two results or more, oldest first")
    for target in targets:
        if target.suffix.lower() not in FACES:
            fail(f"--to: {target}: expected a file name that ends in {', '.join(FACES)}")
    labels = _labels(files)
    try:
        results = {label: load(path) for label, path in zip(labels, files, strict=True)}
    except BadReport as error:
        fail(str(error))
    hindrance = incomparable(results)
    if hindrance is not None:
        click.echo(f"chatproof: not comparable: {hindrance}", err=True)
        return INCOMPLETE
    compared = Compared(results)
    click.echo(text(compared), nl=False)
    for target in targets:
        write_text(target, FACES[target.suffix.lower()](compared))
    return BROKEN if compared.last.breaks(strict) else 0


def _labels(files: tuple[Path, ...]) -> list[str]:
    """The shortest names that tell the files apart: their own, or their paths; numbered where a file is given twice."""
    names = [path.name for path in files]
    if len(set(names)) < len(names):
        names = [str(path) for path in files]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]
