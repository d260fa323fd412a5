"""Reads a report's JSON, holds it against the published schema, and writes it as the face its file name asks for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import badge, html, junit, markdown, sarif, scorecard
from .integrity import FOOTER, seal, unsound
from .result import OUTCOMES, Result, Run, decided, runs, tally
from .store import store
from .text import visible

KINDS = ("verification", "verifications")
LOAD = "load"
SCHEMA = Path(__file__).parent / "schema" / "verification.schema.json"


class BadReport(Exception):
    """A file that is no report, or one that cannot be written. ``str()`` is one line to print; exit code 2."""


def as_json(result: Result) -> str:
    """The report itself with its footer, in ASCII, so that half characters from a target survive."""
    return json.dumps(seal(result), indent=1) + "\n"


FACES: dict[str, Callable[[Result], str]] = {
    ".html": html.render,
    ".json": as_json,
    ".md": markdown.render,
    ".sarif": sarif.render,
    ".svg": badge.render,
    ".txt": scorecard.render,
    ".xml": junit.render,
}
"""Which file name gets which face."""


def load(path: Path | str) -> dict[str, Any]:
    """The report in ``path``: as it was written, valid under the schema and true to its own summary; else ``BadReport``.

    A load run may have no footer: that of Locust's own command writes none.
    """
    try:
        text = Path(path).read_bytes()
        data = json.loads(text, parse_constant=_no_constant)
    except OSError as error:
        raise BadReport(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        cut = (
            " (the file was cut off, or never finished)"
            if text[:1] == b"{" and not text.rstrip().endswith(b"}")
            else ""
        )
        raise BadReport(f"{path}: is not JSON: {visible(str(error))}{cut}") from None
    if not isinstance(data, dict) or data.get("kind") not in (*KINDS, LOAD):
        told = repr(data.get("kind")) if isinstance(data, dict) else type(data).__name__
        raise BadReport(
            f"{path}: kind: expected {', '.join(KINDS)} or {LOAD}, as `verify --json` and `load --json` write it, got {visible(told)}"
        )
    unsigned = data["kind"] == LOAD and FOOTER not in data
    for problem in () if unsigned else unsound(data):
        raise BadReport(f"{path}: {visible(problem)}")
    for problem in _load_problems(data) if data["kind"] == LOAD else problems(data):
        raise BadReport(f"{path}: {visible(problem)}")
    return {name: value for name, value in data.items() if name != "footer"}


def write(result: Result, path: Path | str) -> None:
    """Write ``result`` to ``path`` as its suffix says (``FACES``, of a load run those of ``load_faces``), in UTF-8, whole or not at all, making folders on the way.

    ``BadReport`` for another suffix, or where nothing can be written.
    """
    path = Path(path)
    faces = _load_faces() if result["kind"] == LOAD else FACES
    face = faces.get(path.suffix.lower())
    if face is None:
        raise BadReport(f"{path}: expected a file name that ends in {', '.join(faces)}")
    text = face(result)
    try:
        store(path, text)
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


def _load_problems(data: Any) -> Iterator[str]:
    from .load_faces import problems

    return problems(data)


def _load_faces() -> Mapping[str, Callable[[Any], str]]:
    """Those of a load run, imported where there is one."""
    from .load_faces import RENDERERS

    return RENDERERS


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
