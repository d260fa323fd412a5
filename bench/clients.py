"""Which well-known ways to read a stream break under what is legal: ``python -m bench.clients [--write]``.

Measured against a backend of this process. ``--write`` puts the table into ``docs/faults.md``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.clients.loops import table

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
MARKS = ("<!-- measured by python -m bench.clients --write -->\n", "<!-- end -->\n")


def markdown(rows: dict[str, dict[str, str]]) -> str:
    """Those that break something, and in a sentence those that do not."""
    loops = list(next(iter(rows.values())))
    broken = {name: row for name, row in rows.items() if set(row.values()) != {"ok"}}
    lines = [f"| in force | {' | '.join(loops)} |", f"|---|{'---|' * len(loops)}"]
    lines += [f"| `{name}` | {' | '.join(row[loop] for loop in loops)} |" for name, row in broken.items()]
    calm = ", ".join(f"`{name}`" for name in rows if name not in broken)
    return "\n".join([*lines, "", f"Every loop reads the right text under {calm}.", ""])


def main(arguments: list[str]) -> int:
    text = markdown(table())
    if "--write" in arguments:
        pattern = re.compile(f"(?<={re.escape(MARKS[0])}).*?(?={re.escape(MARKS[1])})", re.DOTALL)
        PAGE.write_text(pattern.sub(lambda _: text, PAGE.read_text("utf-8")), "utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
