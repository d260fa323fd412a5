"""The footer of a report: what it holds, and its digest. A file that was cut off or edited by hand does not add up any more.

The digest is SHA-256 over the report without its footer, as JSON in ASCII with sorted names and no white space: how a file is
laid out may change, what it says may not. It shows accidents and quiet edits; who rewrites a footer as well is not stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

FOOTER = "footer"
COUNTS = ("runs", "requirements", "findings", "exchanges")
"""What of a verification is counted; another kind of report has a digest alone, and the counts are 0."""


def seal(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with its footer last."""
    whole = _without(report)
    return {**whole, FOOTER: {**_counts(whole), "sha256": _digest(whole)}}


def unsound(report: Mapping[str, Any]) -> Iterator[str]:
    """What does not add up, ``where: what`` each; nothing if the report is as it was written."""
    footer = report.get(FOOTER)
    if not isinstance(footer, dict):
        yield "footer: is missing, so that nothing shows whether the report is whole; it was cut off, edited, or never finished"
        return
    whole = _without(report)
    for name, number in _counts(whole).items():
        if footer.get(name) != number:
            yield f"footer.{name}: says {footer.get(name)}, but there are {number}; the report was cut or edited"
            return
    if footer.get("sha256") != _digest(whole):
        yield "footer.sha256: is not that of the report, which was edited after it was written"


def _without(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report, and each run in it, without a footer."""
    whole = {name: value for name, value in report.items() if name != FOOTER}
    if isinstance(whole.get("runs"), list):
        whole["runs"] = [_without(run) if isinstance(run, dict) else run for run in whole["runs"]]
    return whole


def _counts(report: Mapping[str, Any]) -> dict[str, int]:
    """How much there is; what is no list counts nothing, and the schema says what it should have been."""
    runs = _list(report["runs"]) if "runs" in report else [report] if "requirements" in report else []
    rows = [row for run in runs if isinstance(run, dict) for row in _list(run.get("requirements"))]
    findings = sum(len(_list(row.get("findings"))) for row in rows if isinstance(row, dict))
    exchanges = sum(len(_list(run.get("exchanges"))) for run in runs if isinstance(run, dict))
    return dict(zip(COUNTS, (len(runs), len(rows), findings, exchanges), strict=True))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _digest(report: Mapping[str, Any]) -> str:
    text = json.dumps(report, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
