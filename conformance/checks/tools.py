"""Tool calls: in a stream each call comes before its result; in a reply they are listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ...spec import ToolCall, ToolResult
from ..check import Finding, Note, Steps, Unclear, each, of
from ..exchange import End
from ..seen import Seen


@of("tools")
def called(steps: Steps) -> Iterator[Note]:
    """A tool that the agent calls is told in the stream."""
    seen = steps["stream"]
    if not (seen.is_stream and seen.legible):
        yield Unclear("no readable stream came back")
        return
    if seen.of_kind("tool_call"):
        return
    if _same_every_time(seen) and any(other.roles.get("tool_calls") for other in steps.named("json")):
        yield Finding("a tool_call event, as the JSON reply to the same message lists a call", "none", seen)
    else:
        yield Unclear("the agent called no tool this time")


def _ran_through(seen: Seen) -> bool:
    return seen.exchange.end != End.LEFT and not seen.of_kind("failure")


@each("streams", legible=True, when=lambda seen: bool(seen.of_kind("tool_call")) and _ran_through(seen))
def call_answered(seen: Seen) -> Iterator[Note]:
    """Every call of a tool in a stream that succeeds has its result."""
    calls, results = seen.of_kind("tool_call"), seen.of_kind("tool_result")
    if len(results) < len(calls):
        yield Finding(
            "a result for each call", f"{len(calls)} calls and {len(results)} results", seen, calls[-1].wire.start
        )


@each("streams", legible=True, when=lambda seen: bool(seen.of_kind("tool_result")))
def in_order(seen: Seen) -> Iterator[Note]:
    """A tool's result follows a call of the same name."""
    open_calls: Counter[str] = Counter()
    for event in seen.events:
        if isinstance(event.event, ToolCall):
            open_calls[event.event.name] += 1
        elif isinstance(event.event, ToolResult):
            if open_calls[event.event.name] == 0:
                got = f"a result of {event.event.name!r} that nobody called"
                yield Finding("a call of that name before its result", got, seen, event.wire.start)
            else:
                open_calls[event.event.name] -= 1


@of("reply", reads=("new",))
def none_listed(steps: Steps) -> Iterator[Note]:
    """The list of tools is empty when the agent invoked none."""
    calls = steps["new"].roles.get("tool_calls")
    if calls:
        yield Unclear("the default agent invoked a tool")
    elif calls != []:
        yield Finding("an empty array", f"{calls!r:.80}", steps["new"])


@of("tools")
def listed(steps: Steps) -> Iterator[Note]:
    """A JSON reply lists the tools that were invoked for it."""
    seen = steps["json"]
    calls = seen.roles.get("tool_calls")
    if not seen.is_reply or not isinstance(calls, list):
        yield Unclear(f"no reply with a list of tools came back (status {seen.status})")
    elif calls:
        return
    elif _same_every_time(seen) and any(other.of_kind("tool_call") for other in steps.named("stream")):
        yield Finding("the call that the stream of the same message shows", "an empty list", seen)
    else:
        yield Unclear("the agent called no tool this time")


def _same_every_time(seen: Seen) -> bool:
    return "deterministic" in seen.profile.claims
