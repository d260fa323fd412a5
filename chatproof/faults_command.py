"""``chatproof faults``: everything that the fake backend can be made to do, as a list, in full, or as data."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from .simulator.catalogue import kills, words
from .simulator.fault import Fault, LayerName
from .simulator.faults import CATALOGUE, known
from .simulator.parameter import Parameter
from .spec import names

WIDTH = 100
USAGE = 2
LAYERS: dict[LayerName, str] = {
    "decision": "who is refused, what is remembered, what headers and errors say",
    "events": "what a reply says, and in which order",
    "encoding": "how it is spelt: lines, JSON, characters, media types",
    "framing": "HTTP/1.1 itself, and what one write holds",
    "transport": "when bytes are sent, and how the connection ends",
}
KINDS = {
    "legal": "a correct server may always answer so",
    "occasional": "a correct server may, now and then",
    "violation": "no correct server does",
}
HEAD = """\
What the fake backend can be made to do: a name, whether it is legal, and what a client can no longer rely on.
`chatproof faults NAME` says what it does on the wire, what a good client does, and shows it with curl.
In force by `serve --fault NAME`, a header (X-Chatproof-Fault: NAME), and more: see docs/faults.md."""


def main(name: str | None, as_json: bool) -> int:
    """Print the catalogue, or one of it; the exit code, 2 for a name that there is none of."""
    try:
        chosen = [known(name)] if name else list(CATALOGUE.values())
    except ValueError as error:
        sys.stderr.write(f"chatproof faults: {error}\n")
        return USAGE
    if as_json:
        print(json.dumps(document(chosen), indent=1, ensure_ascii=False))
    elif name:
        print("\n".join(explained(chosen[0])))
    else:
        print("\n".join(listed(chosen)))
    return 0


def document(faults: list[Fault]) -> dict[str, Any]:
    """The catalogue as data, by ``simulator/schema/faults.schema.json``."""
    from . import __version__
    from .simulator.catalogue import listing

    return {"chatproof": __version__, "kind": "faults", "faults": [listing(fault) for fault in faults]}


def listed(faults: list[Fault]) -> Iterator[str]:
    """By layer, in ``WIDTH`` columns."""
    yield from textwrap.wrap(HEAD, WIDTH)
    wide = max(len(fault.name) for fault in faults)
    yield ""
    yield from (f"  {kind:<10}  {says}" for kind, says in KINDS.items())
    for layer in get_args(LayerName):
        yield f"\n{layer}: {LAYERS[layer]}"
        for fault in faults:
            if fault.on == layer:
                yield from _row(f"  {fault.name:<{wide}}  {fault.kind:<10}  ", "; ".join(fault.breaks))


def explained(fault: Fault) -> Iterator[str]:
    """Everything about one."""
    from .simulator.demonstration import demonstration

    said = words()[fault.name]
    yield f"{fault.name}: {fault.on}, {fault.kind} ({KINDS[fault.kind]})\n"
    yield from _row("  does          ", said["does"])
    yield from _row("  breaks        ", "; ".join(fault.breaks))
    yield from _row("  good clients  ", said["client"])
    for number, one in enumerate(fault.parameters):
        yield from _row("  parameters    " if not number else " " * 16, _parameter(one))
    yield from _row("  noticed by    ", _noticed(fault))
    shown = demonstration(fault)
    yield "\n  With `chatproof serve` running, this shows it:\n"
    yield f"  {shown.curl()}"


def _parameter(one: Parameter) -> str:
    default = "" if one.default is None else f"={one.default}"
    return f"{one.name}{default}: {one.says}; {one.wanted}"


def _noticed(fault: Fault) -> str:
    row = kills().get(fault.name, {})
    found: dict[str, list[str]] = row.get("requirements", {})
    if not found:
        if row.get("stopped"):
            return "the judge, who finds nothing that it could verify"
        return "none: it is legal" if fault.kind == "legal" else "none: only clients notice"
    everywhere = sorted(set.intersection(*(set(ids) for ids in found.values()))) if len(found) == len(names()) else []
    parts = [", ".join(everywhere)] if everywhere else []
    for name, ids in found.items():
        rest = [id for id in ids if id not in everywhere]
        parts += [f"in {name} {', '.join(rest)}"] if rest else []
    return "; ".join(parts)


def _row(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
