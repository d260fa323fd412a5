"""JUnit XML, as CI servers read it: a suite per dialect, a testcase per requirement, and one for the verdict unless it is good.

| outcome | testcase |
|---|---|
| fail | ``<failure>`` |
| error | ``<error>`` |
| inconclusive, not_verified, skipped, untestable | ``<skipped>`` with the reason |
| warn, observed | passes; what was seen is in ``<system-out>`` |

CI servers show a run of nothing but skipped cases as green. So a run that is not conformant, or verified nothing, gets a
failing testcase ``chatproof/verdict``.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from .result import (
    LEFT_OPEN,
    OUTCOMES,
    Result,
    Row,
    Run,
    by_family,
    citation,
    counts_in_words,
    decided,
    overall,
    place,
    reading,
    runs,
    tally,
)
from .text import block, one_line

VERDICT = "chatproof/verdict"
DETAILS = ("expected", "got", "window", "curl")


def render(result: Result) -> str:
    """The report as one JUnit document; text, to be written as UTF-8."""
    root = ET.Element("testsuites", name="chatproof")
    for run in runs(result):
        root.append(_suite(run))
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, 0)) for suite in root)))
    root.set("time", _seconds(sum(run["duration_s"] for run in runs(result))))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n'


def _suite(run: Run) -> ET.Element:
    suite = ET.Element("testsuite", name=one_line(run["dialect"]))
    facts = {name: run[name] for name in ("target", "chatproof", "seed", "requests", "verdict", "reason")}
    _properties(suite, {name: value for name, value in facts.items() if value is not None})
    if run["verdict"] != "conformant" or not decided(tally(run["requirements"])):
        suite.append(_verdict(run))
    for rows in by_family(run).values():
        suite.extend(_case(run, row) for row in rows)
    for total, tag in {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(total, str(sum(1 for _ in suite.iter(tag))))
    suite.set("time", _seconds(run["duration_s"]))
    suite.set("timestamp", run["started"].removesuffix("Z"))
    return suite


def _verdict(run: Run) -> ET.Element:
    case = ET.Element("testcase", classname=one_line(run["dialect"]), name=VERDICT)
    counts = counts_in_words(tally(run["requirements"]))
    what = one_line(f"{overall(run)}: {run['reason'] or counts}")
    ET.SubElement(case, "failure", message=what, type=run["verdict"]).text = counts
    return case


def _case(run: Run, row: Row) -> ET.Element:
    outcome = row["outcome"]
    dialect, _, rest = one_line(f"{run['dialect']}.{row['id']}").rpartition("/")
    case = ET.Element("testcase", classname=dialect, name=rest)
    facts = {"requirement": row["id"], "outcome": outcome, "level": row["level"], "citation": citation(row)}
    _properties(case, {**facts, **{name: row[name] for name in ("check", "ambiguity") if row[name]}})
    if outcome == "fail":
        first = row["findings"][0]
        message = f"expected {first['expected']}, got {first['got']}"
        ET.SubElement(case, "failure", message=one_line(message), type=row["level"]).text = _account(row)
    elif outcome == "error":
        ET.SubElement(case, "error", message=one_line(row["reason"]), type="harness").text = _account(row)
    elif outcome in LEFT_OPEN:
        ET.SubElement(case, "skipped", message=one_line(f"{OUTCOMES[outcome][0]}: {row['reason']}"))
    elif outcome == "warn":
        ET.SubElement(case, "system-out").text = _account(row)
    elif outcome == "observed":
        ET.SubElement(case, "system-out").text = block(f"observed: {reading(row)}")
    return case


def _account(row: Row) -> str:
    """Statement, source and findings as text."""
    lines = [f"{row['level']} {row['statement']} ({citation(row)})", *([row["reason"]] if row["reason"] else [])]
    for finding in row["findings"]:
        lines += ["", place(finding)] if place(finding) else [""]
        lines += [f"{name}: {block(finding[name])}" for name in DETAILS if finding[name] is not None]
    return block("\n".join(lines), limit=None)


def _properties(parent: ET.Element, facts: dict[str, object]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=one_line(str(value)))


def _seconds(value: float) -> str:
    return f"{value:.3f}"
