"""The conversations that the documents print, read from a dialect's ``examples.yaml``; a dialect may have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..spec import Delta, Dialect, Event, ToolCall, ToolResult, Usage
from ..spec.files import read, read_trusted
from ..spec.load import ROOT
from .agents import Answer


@dataclass(frozen=True)
class Conversation:
    """The documented reply to one message. ``session``: the id if it begins a conversation; ``stream``: its mode if it asks for none."""

    answer: Answer
    session: str | None = None
    stream: bool | None = None


@dataclass(frozen=True)
class CreatedKey:
    """The documented reply to the creation of a key."""

    id: int
    key: str


@dataclass(frozen=True)
class Examples:
    """Everything a dialect's documents take for granted."""

    model: str = "simulated"
    session_prefix: str = "sess_"
    key_prefix: str = "ak_"
    keys: tuple[str, ...] = ()
    agent_keys: Mapping[str, str] = field(default_factory=dict)
    agents: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    created_keys: Mapping[str, CreatedKey] = field(default_factory=dict)
    conversations: Mapping[str, Conversation] = field(default_factory=dict)


def examples(dialect: Dialect) -> Examples:
    """The examples in that dialect's folder; ``BadFile`` if a folder given by path holds bad ones."""
    path = dialect.folder / "examples.yaml"
    if path.is_relative_to(ROOT):
        return _packaged(path)
    return _of(read(path, "examples")) if path.is_file() else Examples()


@cache
def _packaged(path: Path) -> Examples:
    """Read once: nothing of it ever changes."""
    return _of(read_trusted(path)) if path.is_file() else Examples()


def _of(data: Mapping[str, Any]) -> Examples:
    plain = {
        name: data[name] for name in ("model", "session_prefix", "key_prefix", "agent_keys", "aliases") if name in data
    }
    return Examples(
        **plain,
        keys=tuple(data.get("keys", ())),
        agents=tuple(data.get("agents", ())),
        created_keys={row["name"]: CreatedKey(row["id"], row["key"]) for row in data.get("created_keys", ())},
        conversations={row["when"]["message"]: _conversation(row) for row in data.get("conversations", ())},
    )


def _conversation(row: Mapping[str, Any]) -> Conversation:
    steps = row["steps"] if "steps" in row else [row["text"]]
    usage = Usage(**row["usage"]) if "usage" in row else None
    answer = Answer(tuple((0.0, _event(step)) for step in steps), usage, by_word="text" in row)
    return Conversation(answer, row.get("session"), row.get("stream"))


def _event(step: str | Mapping[str, Any]) -> Event:
    if isinstance(step, str):
        return Delta(step)
    if "call" in step:
        return ToolCall(step["call"], step["args"])
    return ToolResult(step["result_of"], step["result"])
