"""Hypothesis: any script of events that a dialect can tell, any JSON, any text that a string can hold; and how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from chatproof.simulator.plan import Layer, spell
from chatproof.simulator.reply import Beat, Reply
from chatproof.spec import Delta, Dialect, Done, Event, Failure, Row, ToolCall, ToolResult, Usage

NASTY = [
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0b",
    "\ufeff",
    "\ud800",
    "\udc00",
    "[DONE]",
    '"',
    "\\",
    "data: ",
]
TEXT = st.lists(
    st.one_of(st.text(), st.text(st.characters(categories=["Cs"]), max_size=2), st.sampled_from(NASTY))
).map("".join)
"""Lone surrogates included: JSON can name them, UTF-8 cannot carry them."""
NAMES = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
COUNT = st.none() | st.integers(0, 10**12)


def scripts(dialect: Dialect) -> st.SearchStrategy[list[Event]]:
    """Lists of the events that the dialect has rows for, in any order and number."""
    return st.lists(st.one_of(*(events(row) for row in dialect.stream)), max_size=12)


def events(row: Row) -> st.SearchStrategy[Event]:
    match row.event:
        case "delta":
            return st.builds(Delta, TEXT)
        case "tool_call":
            return st.builds(ToolCall, NAMES, st.dictionaries(NAMES, JSON, max_size=3))
        case "tool_result":
            return st.builds(ToolResult, NAMES, JSON)
        case "failure":
            return st.builds(Failure, TEXT)
        case _:
            return st.builds(Done, st.none() | TEXT, st.builds(Usage, COUNT, COUNT, COUNT))


def stream(script: Iterable[Event], dialect: Dialect, layers: Sequence[Layer] = ()) -> bytes:
    """The body of a stream as the simulator spells it."""
    beats = tuple(Beat(0.0, event) for event in script)
    pieces = spell(Reply(dialect, 200, dialect.reply, beats=beats, streamed=True), 0.0, layers).pieces
    return b"".join(piece.data for piece in pieces)


def normal(script: Iterable[Event], dialect: Dialect) -> list[Event]:
    """What a reader may expect of a script: neighbouring pieces of text joined, and of an end only what its row tells."""
    found: list[Event] = []
    for event in script:
        match event:
            case Delta(text):
                if found and isinstance(found[-1], Delta):
                    found[-1] = Delta(found[-1].text + whole(text))
                else:
                    found.append(Delta(whole(text)))
            case ToolCall(name, args):
                found.append(ToolCall(name, whole(args)))
            case ToolResult(name, result):
                found.append(ToolResult(name, whole(result)))
            case Failure(text):
                found.append(Failure(whole(text)))
            case Done(session, usage):
                told = next(row.shape.roles for row in dialect.stream if row.event == "done")
                kept = {
                    "input": usage.input if "input_tokens" in told else None,
                    "output": usage.output if "output_tokens" in told else None,
                    "total": usage.total if "total_tokens" in told else None,
                }
                found.append(Done(whole(session) if "session" in told else None, Usage(**kept)))
    return found


def whole(value: Any) -> Any:
    """The same value with halves of surrogate pairs that stand together made one character, as JSON reads them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value
