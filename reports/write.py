"""Reads a report's JSON, holds it against the published schema, and writes it as the face its file name asks for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import html, junit, markdown, scorecard
from .result import OUTCOMES, Result, Run, decided, runs, tally
from .text import visible

SCHEMA = Path(__file__).parent / "schema" / "verification.schema.json"


class BadReport(Exception):
    """A file that is no report, or one that cannot be written. ``str()`` is one line to print; exit code 2."""


def as_json(result: Result) -> str:
    """The report itself, in ASCII, so that half characters from a target survive."""
    return json.dumps(result, indent=1) + "\n"


FACES: dict[str, Callable[[Result], str]] = {
    ".html": html.render,
    ".json": as_json,
    ".md": markdown.render,
    ".txt": scorecard.render,
    ".xml": junit.render,
}
"""Which file name gets which face."""


def load(path: Path | str) -> dict[str, Any]:
    """The report in ``path``, valid under the schema and true to its own summary; else ``BadReport``."""
    try:
        data = json.loads(Path(path).read_bytes(), parse_constant=_no_constant)
    except OSError as error:
        raise BadReport(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise BadReport(f"{path}: is not JSON: {visible(str(error))}") from None
    for problem in problems(data):
        raise BadReport(f"{path}: {visible(problem)}")
    report: dict[str, Any] = data
    return report


def write(result: Result, path: Path | str) -> None:
    """Write ``result`` to ``path`` as its suffix says (``FACES``), in UTF-8, making folders on the way.

    ``BadReport`` for another suffix, or where nothing can be written.
    """
    path = Path(path)
    face = FACES.get(path.suffix.lower())
    if face is None:
        raise BadReport(f"{path}: expected a file name that ends in {', '.join(FACES)}")
    text = face(result)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise BadReport(f"{path}: cannot be written: {error.strerror or error}") from None


def problems(data: Any) -> Iterator[str]:
    """What is wrong with a report, ``where: what`` each, the most telling first; nothing if it is valid."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import relevance

    errors = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).iter_errors(data)
    broken = sorted(errors, key=relevance, reverse=True)
    for error in broken:
        spot = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
        yield f"{spot.lstrip('.') or 'the report'}: {_short(error.message)}"
    if not broken:
        for index, run in enumerate(runs(data)):
            yield from (f"runs[{index}].{text}" if len(runs(data)) > 1 else text for text in _untrue(run))


def _untrue(run: Run) -> Iterator[str]:
    """What no schema can say: the summary counts the rows, no requirement comes twice, nothing verified proves nothing."""
    counts = tally(run["requirements"])
    for outcome in OUTCOMES:
        if run["summary"][outcome] != counts[outcome]:
            yield f"summary.{outcome}: says {run['summary'][outcome]}, but {counts[outcome]} requirements are {outcome}"
    for name, times in Counter(row["id"] for row in run["requirements"]).items():
        if times > 1:
            yield f"requirements: {name} comes {times} times"
    if run["verdict"] == "conformant" and not decided(counts):
        yield "verdict: is conformant, but nothing was verified"


def _short(message: str) -> str:
    return message if len(message) <= 200 else f"{message[:120]} … {message[-60:]}"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
