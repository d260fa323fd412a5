"""What the pytest plugin shows, and what it must not show: JUnit's properties, an account for people, Allure's labels and steps.

Imports nothing of the judge, and no Allure, before there is something to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .check import Finding
    from .exchange import Exchange
    from .run import Run

SEVERITY = {"MUST": "critical", "SHOULD": "normal", "MAY": "minor"}
OCTETS = "application/octet-stream"
TEXT = "text/plain"
MS = 1_000_000
HIDDEN = "[redacted]"
Properties = list[tuple[str, object]]


def row_properties(row: Mapping[str, Any]) -> Properties:
    """What JUnit's ``<properties>`` say of a requirement."""
    facts = {"requirement": row["id"], "citation": citation(row)}
    return _properties({**facts, **{name: row[name] for name in ("level", "outcome", "reason", "ambiguity")}})


def run_properties(run: Mapping[str, Any]) -> Properties:
    """What JUnit's ``<properties>`` say of a run."""
    return _properties({name: run[name] for name in ("verdict", "reason", "dialect", "target", "requests", "seed")})


def _properties(facts: Mapping[str, object]) -> Properties:
    return [(f"chatproof.{name}", printable(str(value))) for name, value in facts.items() if value is not None]


def objection(run: Mapping[str, Any], strict: bool) -> str | None:
    """Why the run's verdict is not a good one, and by what; ``None`` if it is good. ``strict``: without a warning."""
    broken = ("fail", "error", "warn") if strict else ("fail", "error")
    ids = [f"  {row['outcome']:5}  {row['id']}" for row in run["requirements"] if row["outcome"] in broken]
    if run["verdict"] == "conformant" and not ids:
        return None
    why = ": ".join(filter(None, (run["verdict"], run["reason"])))
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in run["summary"].items() if count)
    return "\n".join(filter(None, (why, counts, *ids, run["crash"])))


def account(row: Mapping[str, Any]) -> str:
    """A requirement that was not kept: first in a line, then where it stands, what was seen, and how to see it again."""
    if not row["findings"]:
        return f"{row['reason']}\n\n{row['level']} {row['id']} ({citation(row)})\n  {row['statement']}"
    first, *others = row["findings"]
    lines = [expectation(first), "", f"{row['level']} {row['id']} ({citation(row)})", f"  {row['statement']}", ""]
    lines += [f"  expected  {first['expected']}", f"  got       {first['got']}"]
    lines += [f"  in        {place(first)}"] if first["exchange"] else []
    lines += [f"    {line}" for line in (first["window"] or "").splitlines()]
    lines += [f"  {first['curl']}"] if first["curl"] else []
    lines += [f"  also {place(other)}: got {other['got']}" for other in others]
    return "\n".join([*lines, f"  {row['reason']}"] if row["reason"] else lines)


def place(finding: Mapping[str, Any]) -> str:
    """The exchange in which it was found, and the byte of its body, or of all that was received."""
    within = " of the response" if finding["within"] == "response" else ""
    at = "" if finding["offset"] is None else f", byte {finding['offset']}{within}"
    return f"{finding['exchange'] or 'the run'}{at}"


def expectation(finding: Mapping[str, Any]) -> str:
    """A finding in a line."""
    return f"expected {finding['expected']}, got {finding['got']}".replace("\n", " ")


def citation(row: Mapping[str, Any]) -> str:
    """Document and section."""
    return f"{row['citation']['document']} {row['citation']['section']}"


def printable(text: str) -> str:
    """What a target sent may steer a terminal, or fit into no file: escaped, but for line ends."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode-escape").decode() for c in text)


def without(option: str, args: Sequence[str]) -> tuple[str, ...]:
    """Command line arguments as they may be printed: with no value for that option."""
    return tuple(
        HIDDEN if before == option else f"{option}={HIDDEN}" if arg.startswith(f"{option}=") else arg
        for before, arg in zip(("", *args), args, strict=False)
    )


def masked(run: Run) -> Run:
    """The run whose findings point at exchanges without secrets, so that a window of bytes shows none in hexadecimal."""
    from .seen import Seen
    from .transcript import redact

    secrets = run.evidence.secrets()

    def mask(finding: Finding) -> Finding:
        if finding.seen is None:
            return finding
        exchange = redact(finding.seen.exchange, secrets)
        return replace(finding, seen=Seen(exchange, run.dialect, run.profile))

    return replace(run, judged=tuple(replace(row, findings=tuple(map(mask, row.findings))) for row in run.judged))


def show(row: Mapping[str, Any], dialect: str, base_url: str, transcripts: Path) -> None:
    """Tell Allure of the item that runs: labels, the statement, and a step per exchange with its bytes, its times and its findings.

    Epics are dialects and features families, so that several runs stand in one report; an item is known again in the next run
    by its node id, ``chatproof::<dialect>::<requirement>``. ``transcripts``: the run's transcript file, as ``record`` wrote it.
    Call it while pytest-allure's listener is active.
    """
    allure: Any = import_module("allure")
    allure.dynamic.epic(dialect)
    allure.dynamic.feature(row["id"].partition("/")[0])
    allure.dynamic.label("requirement", row["id"])
    allure.dynamic.label("level", row["level"])
    allure.dynamic.tag(row["level"], row["outcome"])
    allure.dynamic.severity(SEVERITY[row["level"]])
    allure.dynamic.description(f"{row['statement']} ({citation(row)})")
    cited: dict[str | None, list[Mapping[str, Any]]] = {}
    for finding in row["findings"]:
        cited.setdefault(finding["exchange"], []).append(finding)
    for name, findings in cited.items():
        exchange = _exchanges(transcripts)[name] if name else None
        with suppress(AssertionError), allure.step(_headline(exchange) if exchange else "the run"):
            if exchange:
                _attach(exchange, base_url)
            for finding in findings:
                with suppress(AssertionError), allure.step(printable(expectation(finding))):
                    raise AssertionError(printable(f"{place(finding)}: {finding['got']}"))
            raise AssertionError(printable(findings[0]["got"]))


def _headline(exchange: Exchange) -> str:
    """``ex-0007 ordinary: POST /chat → 200``."""
    came = exchange.status or exchange.end.value
    return printable(f"{exchange.id} {exchange.label}: {exchange.request.method} {exchange.request.target} → {came}")


@cache
def _exchanges(transcripts: Path) -> dict[str, Exchange]:
    """The run's exchanges by id."""
    from .transcript import load

    return {exchange.id: exchange for transcript in load(transcripts) for exchange in transcript.exchanges}


def _attach(exchange: Exchange, base_url: str) -> None:
    from .endpoint import Endpoint, encode

    allure: Any = import_module("allure")
    request = encode(Endpoint.parse(base_url), exchange.request)
    times = [f"{(read.at_ns - exchange.sent_ns) / MS:+10.2f} ms  {len(read.data):6} bytes" for read in exchange.reads]
    name = f"{exchange.id} {exchange.label}"
    allure.attach(request, f"{name}: request", OCTETS, "bin")
    allure.attach(exchange.raw, f"{name}: response, as received", OCTETS, "bin")
    allure.attach("\n".join([*times, f"ended: {exchange.end.value}"]), f"{name}: arrivals", TEXT, "txt")
