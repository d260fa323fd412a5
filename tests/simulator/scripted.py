"""Scripts in tests: read from text, played at a desk."""

from __future__ import annotations

from typing import Any

from chatproof.simulator.script.model import Script
from chatproof.simulator.script.reading import Checked, check_text

HEAD = "script: 1\nagents:\n  shop:\n    turns:\n"


def checked(text: str) -> Checked:
    return check_text(text, "s.yaml")


def script(text: str) -> Script:
    """The script in ``text``, which must have no mistakes."""
    found = checked(text)
    assert found.script is not None, "\n".join(found.lines())
    return found.script


def turns(text: str) -> str:
    """A whole script of one agent, ``shop``, out of the text of its turns."""
    lines = "".join(f"      {line}\n" for line in text.strip("\n").split("\n"))
    return HEAD + lines


def shop(text: str) -> Script:
    """A script of one agent, ``shop``, with these turns."""
    return script(turns(text))


def told(found: Checked) -> list[str]:
    """The mistakes and warnings as ``line:column message``, in the file's order."""
    rows: list[Any] = [(p, "") for p in found.errors] + [(p, "warning: ") for p in found.warnings]
    rows.sort(key=lambda row: (row[0].line, row[0].column))
    return [f"{p.line}:{p.column} {kind}{p.message}" for p, kind in rows]
