"""From a file to a script: schema first, then nouns, then what only the whole can tell. All mistakes are found at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...spec import BadFile, Dialect, dialect, names
from ...spec.files import Problem, Spot, inlined, locate, text_of
from . import compiling, lint
from .findings import Findings, show
from .model import Script

SCHEMA = Path(__file__).parents[1] / "schema" / "script.schema.json"
PRUNINGS = 5
"""How often what spoils the schema is taken out before the rest is given up on."""


@dataclass(frozen=True)
class Checked:
    """A file and all that was found in it. ``script`` is ``None`` if there are errors."""

    path: str
    text: str
    script: Script | None
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def lines(self) -> list[str]:
        """The findings, ready to print."""
        return list(show(self.path, self.text, self.errors, self.warnings))

    @property
    def summary(self) -> str:
        """One line about the whole."""
        told = [f"{len(found)} {word}{'' if len(found) == 1 else 's'}" for found, word in (
            (self.errors, "mistake"), (self.warnings, "warning")) if found]  # fmt: skip
        size = f" ({self.script.size})" if self.script else ""
        return f"{self.path}: {', '.join(told) or 'no mistakes'}{size}"


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of scripts."""
    data: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
    return data


def check(path: Path | str, dialects: Sequence[Dialect] | None = None) -> Checked:
    """The script in that file, or all that is wrong with it. ``dialects``: those it is to be served in; the packaged ones by default."""
    try:
        text = text_of(Path(path))
    except BadFile as error:
        return Checked(str(path), "", None, tuple(error.problems))
    return check_text(text, path, dialects)


def check_text(text: str, path: Path | str, dialects: Sequence[Dialect] | None = None) -> Checked:
    """As ``check``, for text already at hand; ``path`` only names it."""
    chosen = list(dialects) if dialects else [dialect(name) for name in names()]
    try:
        located = locate(text, path, schema())
    except BadFile as error:
        return Checked(str(path), text, None, tuple(error.problems))
    found = Findings(str(path), text, located, list(located.problems))
    data = _pruned(located.data, located.bad, text, path) if located.bad else located.data
    script = None
    if data is not None:
        script = compiling.script(data, located.data, found, chosen)
        lint.lint(script, found, chosen)
    errors = tuple(dict.fromkeys(found.errors))
    return Checked(str(path), text, None if errors else script, errors, tuple(dict.fromkeys(found.warnings)))


def load(path: Path | str, dialects: Sequence[Dialect] | None = None) -> Script:
    """The script in that file; ``BadFile`` with all mistakes, warnings aside."""
    checked = check(path, dialects)
    if checked.script is None:
        raise BadFile(path, list(checked.errors))
    return checked.script


def _pruned(data: Any, bad: Sequence[Spot], text: str, path: Path | str) -> Any:
    """The data without what the schema refuses, so that the rest can be looked at; ``None`` if nothing is left to look at."""
    from jsonschema import Draft202012Validator

    rest = copy.deepcopy(data)
    if isinstance(rest, dict):
        rest["script"] = 1
    validator = Draft202012Validator(inlined(schema()))
    for _ in range(PRUNINGS):
        for spot in sorted(bad, key=len, reverse=True):
            if spot:
                _remove(rest, spot)
        errors = list(validator.iter_errors(rest))
        if not errors:
            return rest
        bad = [tuple(error.absolute_path) for error in errors]
    return None


def _remove(data: Any, spot: Spot) -> None:
    at = data
    try:
        for part in spot[:-1]:
            at = at[part]
        del at[spot[-1]]
    except (LookupError, TypeError):
        return
