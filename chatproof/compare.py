"""``chatproof compare``: what changed from one result to the next, and over many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .inputs import fail
from .output import write_text
from .reports import comparison, comparison_faces, load_comparison, load_comparison_faces
from .reports.write import LOAD, BadReport, load

BROKEN, INCOMPLETE = 1, 3
FACES = comparison_faces.FACES
Results = dict[str, dict[str, Any]]


def main(*, files: tuple[Path, ...], targets: tuple[Path, ...], strict: bool, anyway: bool) -> int:
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
    loads = {result["kind"] == LOAD for result in results.values()}
    if len(loads) > 1:
        return _refused("a verification and a load run")
    if loads == {True}:
        return _loads(results, targets, strict, anyway)
    return _verifications(results, targets, strict, anyway)


def _verifications(results: Results, targets: tuple[Path, ...], strict: bool, anyway: bool) -> int:
    if anyway:
        fail("--anyway: is for load runs; what an incomplete verification lacks would pass for a change")
    hindrance = comparison.incomparable(results)
    if hindrance is not None:
        return _refused(hindrance)
    compared = comparison_faces.Compared(results)
    _tell(compared, comparison_faces.FACES, targets)
    return BROKEN if compared.last.breaks(strict) else 0


def _loads(results: Results, targets: tuple[Path, ...], strict: bool, anyway: bool) -> int:
    if strict:
        fail("--strict: is for verifications; a load run has no SHOULD")
    hindrance = load_comparison.incomparable(results, anyway)
    if hindrance is not None:
        way_out = load_comparison.incomparable(results, anyway=True) is None
        return _refused(hindrance + ("; --anyway compares them as they are" if way_out else ""))
    compared = load_comparison_faces.Compared(results)
    _tell(compared, load_comparison_faces.FACES, targets)
    return BROKEN if compared.worse else 0


def _refused(why: str) -> int:
    click.echo(f"chatproof: not comparable: {why}", err=True)
    return INCOMPLETE


def _tell(compared: Any, faces: dict[str, Callable[[Any], str]], targets: tuple[Path, ...]) -> None:
    click.echo(faces[".txt"](compared), nl=False)
    for target in targets:
        write_text(target, faces[target.suffix.lower()](compared))


def _labels(files: tuple[Path, ...]) -> list[str]:
    """The shortest names that tell the files apart: their own, or their paths; numbered where a file is given twice."""
    names = [path.name for path in files]
    if len(set(names)) < len(names):
        names = [str(path) for path in files]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]
