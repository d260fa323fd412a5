"""The table of docs/limits.md: every open question with its readings, and which of them the fake backend can follow.

uv run python -m tests.laws.rulings_page --write
"""

from __future__ import annotations

import sys
from pathlib import Path

from chatproof.simulator.rulings import RULINGS
from chatproof.spec import Ambiguity, Reading, ambiguities

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
BEGINS, ENDS = "<!-- rulings -->\n", "<!-- end of rulings -->\n"


def table() -> str:
    """The rows, in the order of the register."""
    head = "| question | touches | readings |\n|---|---|---|\n"
    return head + "".join(_row(one) for one in ambiguities())


def page(text: str) -> str:
    """``text`` with the table as it is now."""
    before, _, rest = text.partition(BEGINS)
    return f"{before}{BEGINS}{table()}{ENDS}{rest.partition(ENDS)[2]}"


def _row(one: Ambiguity) -> str:
    readings = [_shown(one.id, reading, "") for reading in one.readings]
    readings += [_shown(one.id, reading, "a quirk, no reading: ") for reading in one.quirks]
    return f"| **{one.id}** {_cell(one.question)} | {', '.join(one.dialects)} | {'<br>'.join(readings)} |\n"


def _shown(question: str, reading: Reading, kind: str) -> str:
    why = RULINGS[question][reading.name]
    refused = f" (not switched: {why})" if isinstance(why, str) else ""
    return f"`{reading.name}`: {kind}{_cell(reading.says)}{refused}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__" and "--write" in sys.argv[1:]:
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
