"""A load run on a terminal: eighty columns, the verdict last, so that it stands where the eye is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .text import counted, visible

WIDTH = 80
STATISTICS = ("p50", "p90", "p95", "p99", "max")
MARKS = {"kept": "✓", "broken": "✕", "invalid": "!", "incomplete": "?"}
COLORS = {"kept": 32, "broken": 31, "invalid": 33, "incomplete": 33}
PROOFS = {
    "both": "each conversation's own word had to come back, at once and later",
    "echo": "each conversation's own word had to come back",
    "recall": "each conversation's own word had to be recalled",
    "watch": "the agent neither echoes nor recalls; only a foreign word would tell",
    "off": "no canary words were sent",
}


def render(result: dict[str, Any], *, color: bool = False) -> str:
    """The summary of one run, lines of at most eighty columns."""
    lines = [*_head(result), "", *_outcomes(result), "", *_metrics(result), *_limits(result), *_correctness(result)]
    lines += [*_capacity(result), *_validity(result), *_objectives(result), ""]
    fitted = [part for line in lines for part in (_wrapped(line) if len(line) > WIDTH else (line,))]
    return "\n".join(line.rstrip() for line in (*fitted, *_verdict(result, color))) + "\n"


def _head(result: dict[str, Any]) -> Iterator[str]:
    plan, summary = result["plan"], result["summary"]
    model = f"{plan['users']} users" if plan["model"] == "closed" else plan["schedule"]
    kind = "streams" if plan["stream"] else "JSON"
    yield f"{visible(result['target'])}  {result['dialect']}  {kind}  {model}"
    asked = "" if summary["intended_per_s"] is None else f"{summary['intended_per_s']:.1f}/s asked, "
    yield (
        f"{result['duration_s']:.1f} s  {asked}{summary['achieved_per_s']:.1f}/s sent, {summary['goodput_per_s']:.1f}/s good"
        f"  {summary['most_in_flight']} in flight at most"
    )
    if summary["missed"] or summary["held_back"]:
        yield f"missed {summary['missed']}, held back by the target's own limit {summary['held_back']}"
    if summary["reconnects"]:
        yield f"{counted(summary['reconnects'], 'kept connection')} had ended when used again, and the turn was sent on a new one"


def _outcomes(result: dict[str, Any]) -> Iterator[str]:
    yield f"{'outcome':<16}{'turns':>8}{'share':>9}   first, and why"
    for name, row in result["outcomes"].items():
        share = "" if row["share"] is None else f"{row['share'] * 100:.2f} %"
        first = "" if name == "ok" or row["first_s"] is None else f"{row['first_s']:.1f} s  "
        yield f"{name:<16}{row['count']:>8}{share:>9}   {first}{visible(next(iter(row['why']), ''))}"
    if result["summary"]["warmup"]:
        yield f"{'warm-up':<16}{result['summary']['warmup']:>8}"


def _metrics(result: dict[str, Any]) -> Iterator[str]:
    if not result["metrics"]:
        yield "nothing was measured: only turns that end well are"
        return
    yield f"{'':<20}" + "".join(f"{name:>10}" for name in STATISTICS) + f"{'count':>9}"
    for name, row in result["metrics"].items():
        clocks = row.get("clocks")
        shown = (
            [(f"{name} {clock}", clocks[clock]) for clock in ("service", "response")] if _apart(row) else [(name, row)]
        )
        for label, values in shown:
            yield f"{label:<20}" + "".join(f"{_value(values[one]):>10}" for one in STATISTICS) + f"{row['count']:>9}"
    yield "times in ms, text-rate in characters a second" + (
        "; response counts from when a turn was due" if any(map(_apart, result["metrics"].values())) else ""
    )


def _apart(row: dict[str, Any]) -> bool:
    """Whether the two clocks say different things."""
    clocks = row.get("clocks")
    if not clocks:
        return False
    service, response = clocks["service"]["p99"], clocks["response"]["p99"]
    return service is not None and response is not None and response - service > max(0.02 * service, 1.0)


def _value(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100_000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def _limits(result: dict[str, Any]) -> Iterator[str]:
    for key, row in result["limits"]["keys"].items():
        if not (row["limited"] or row["unpaid"] or row["advertised_limits"]):
            continue
        told = ", ".join(map(str, row["advertised_limits"])) or "none"
        plan = f" ({', '.join(row['as_documented'])} as documented)" if row["as_documented"] else ""
        yield ""
        yield f"key {key}: {row['granted']} granted, {row['limited']} refused with 429, {row['unpaid']} with 402"
        yield f"  advertised limit {told}{plan}, least remaining {row['least_remaining']}, {row['units']} units reported"
        if row["limited_with_remaining"]:
            yield f"  {row['limited_with_remaining']} refused while Remaining was above 0"
        if row["granted_beyond"]:
            yield f"  {row['granted_beyond']} granted beyond the advertised limit"
        if row["waits"]:
            yield f"  waited {counted(len(row['waits']), 'time')}, {max(row['waits']):.1f} s at most"


def _correctness(result: dict[str, Any]) -> Iterator[str]:
    row = result["correctness"]
    yield ""
    yield f"mix-ups {row['mixups']}, wrong answers {row['wrong_answers']}  ({PROOFS[row['proof']]})"
    for breach in row["breaches"]:
        yield f"  {breach['what']}, {counted(breach['count'], 'time')}: {visible(breach['first'])}"
    broken = f"{counted(len(row['findings']), 'requirement')} broken" if row["findings"] else "no requirement broken"
    yield f"{counted(row['sampled'], 'exchange')} judged whole: {broken}"
    for finding in row["findings"]:
        yield f"  {finding['level']} {finding['id']}: {visible(finding['got'])}"
    for exhibit in result["exhibits"]:
        if exhibit["outcome"] == "mixup":
            yield f"  exhibit, turn {exhibit['turn']}: {visible(exhibit['why'])}"


def _capacity(result: dict[str, Any]) -> Iterator[str]:
    capacity = result["capacity"]
    if not capacity:
        return
    yield ""
    yield f"capacity for {capacity['objective']}, in {capacity['unit']}"
    for step in capacity["steps"]:
        mark = "✓" if step["kept"] else "✕"
        yield f"  {mark} {step['load']:>8g}  {step['got']:<14} {step['achieved_per_s']:.1f}/s sent, {step['errors']} errors{step['note']}"
    yield f"  {capacity['words']}"


def _validity(result: dict[str, Any]) -> Iterator[str]:
    row = result["validity"]
    signs = ", ".join(f"{sign['name']} {sign['got']}" for sign in row["signs"])
    yield ""
    yield (f"generator: {'kept time' if row['valid'] else 'DID NOT KEEP TIME'} ({signs})")
    for sign in row["signs"]:
        if not sign["good"]:
            yield (f"  {sign['name']} is {sign['got']}, {sign['limit']}: {sign['meaning']}")


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for index, word in enumerate(text.split(" ")):
        if line.strip() and len(line) + 1 + len(word) > WIDTH:
            yield line
            line = "    " + word[: WIDTH - 4]
        else:
            line = f"{line} {word}" if index else word
    yield line


def _objectives(result: dict[str, Any]) -> Iterator[str]:
    for row in result["objectives"]:
        if row["implied"] and row["kept"]:
            continue
        mark = {True: "✓", False: "✕", None: "?"}[row["kept"]]
        yield f"{mark} {row['objective']}  (got {row['got']})"


def _verdict(result: dict[str, Any], color: bool) -> Iterator[str]:
    verdict = result["verdict"]
    why = result["reason"] or (result["capacity"] or {}).get("words")
    text = f"{MARKS[verdict]} {verdict}" + (f": {why}" if why else "")
    if verdict == "kept" and all(row["implied"] for row in result["objectives"]):
        errors = counted(result["summary"]["errors"], "turn")
        bad = f", and {errors} ended badly" if result["summary"]["errors"] else ""
        text += f" (no --objective was given: nothing was asked of times and errors{bad})"
    for line in _wrapped(text):
        yield f"\x1b[{COLORS[verdict]}m{line}\x1b[0m" if color else line


def live_line(now: dict[str, Any]) -> str:
    """How a run stands, in one line."""
    asked = "" if now["asked"] is None else f"{now['asked']:.1f}/s asked "
    times = "" if now["p50"] is None else f"  {now['metric']} p50 {now['p50'] / 1e3:.0f} p95 {now['p95'] / 1e3:.0f} ms"
    bad = "".join(
        f"  {word} {now[name]}"
        for name, word in (("limited", "429"), ("errors", "errors"), ("missed", "missed"), ("mixups", "mix-ups"))
        if now[name]
    )
    return f"{now['at_s']:.0f} s  {asked}{now['sent']:.1f}/s sent  {now['in_flight']} in flight{times}{bad}"[:WIDTH]
