"""What a generated body is worth as evidence, and what is put in it before it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatproof.conformance.bodies import plainly_invalid, plainly_valid, settle, varied
from chatproof.spec import dialect, names

BY_NAME = {one.name: one for one in (*map(dialect, names()), dialect(Path(__file__).parents[1] / "dialects" / "echo"))}
GUIDE = BY_NAME["guide"]
SAID = {"agent_id": "a", "message": "x"}
PLAIN: list[dict[str, Any]] = [{}, {"message": "\n\t\U0001f30d\u4e00", "metadata": {"n": 2**53 - 1, "m": [1.5, None]}}]
ODD: list[dict[str, Any]] = [
    *({"message": text} for text in ("", " \n", "\u200b!", "x\0", "x\x1b", "\ud800", "\uffff", "x" * 3000, 1)),
    {"metadata": {"n": 2**53}}, {"metadata": {"n": 1e300}}, {"metadata": {"\0": 1}}, {"metadata": []},
]  # fmt: skip
WRONG: list[tuple[str, str, Any]] = [
    ("guide", "chat", {"message": "x"}), ("guide", "chat", {"agent_id": "a", "message": None}),
    ("guide", "chat", {**SAID, "stream": "perhaps"}), ("guide", "chat", {**SAID, "stream": 2}),
    ("guide", "chat", []), ("guide", "chat", None), ("guide", "chat", b"\xff"), ("guide", "chat", b'{"message": "x"'),
    ("reference", "send", {"agent_id": "a"}), ("reference", "send", {**SAID, "stream": "perhaps"}), ("guide", "chat", {**SAID, "session_id": 7}),
    ("echo", "talk", {"say": {"text": "x"}, "thread": "x"}), ("echo", "talk", {"say": ""}),
]  # fmt: skip
NOTHING: tuple[Any, ...] = (None, 0, "", [], {}, False)
EXCUSED: list[tuple[str, str, Any]] = [
    ("guide", "chat", {**SAID, "unknown": 1}), ("guide", "chat", {**SAID, "session_id": None, "metadata": None}),
    ("guide", "chat", {**SAID, "stream": "Yes"}), ("guide", "chat", {**SAID, "stream": 0.0}),
    *(("guide", "chat", {**SAID, role: nothing}) for role in ("session_id", "stream", "metadata") for nothing in NOTHING),
    *(("echo", "talk", {"say": {"text": "x", "context": 0}, "thread": nothing}) for nothing in NOTHING), ("guide", "chat", {**SAID, "message": float("nan")}),
    ("guide", "chat", b'{"agent_id": "a", "message": "x"}'), ("rest", "chat", {"message": "x", "stream": "perhaps"}),
    ("reference", "stream", {**SAID, "stream": "perhaps"}), ("reference", "send", {"agent_id": "a", "query": "x"}), ("reference", "send", {"publish_id": "a", "message": "x"}),
]  # fmt: skip
JUDGED = [*((True, *row) for row in WRONG), *((False, *row) for row in EXCUSED)]


@pytest.mark.parametrize(("plain", "said"), [*((True, said) for said in PLAIN), *((False, said) for said in ODD)])
def test_a_valid_body_is_evidence_unless_it_is_odd(plain: bool, said: dict[str, Any]) -> None:
    assert plainly_valid({**SAID, **said}, GUIDE, "chat") == plain


@pytest.mark.parametrize(("wrong", "name", "operation", "body"), JUDGED)
def test_an_invalid_body_is_evidence_unless_it_may_be_taken(wrong: bool, name: str, operation: str, body: Any) -> None:
    assert plainly_invalid(body, BY_NAME[name], operation) == wrong


def test_settling_replaces_what_is_valid_and_leaves_what_is_wrong() -> None:
    values = {"agent": "known", "session": "s-1", "stream": False}
    body = {"agent_id": "any", "session_id": "", "message": 7, "stream": True}
    assert settle(body, GUIDE, values) == {"agent_id": "known", "session_id": "s-1", "message": 7, "stream": False}
    assert settle(wrong := {"agent_id": 1, "session_id": [], "stream": "x"}, GUIDE, values) == wrong
    assert settle({"agent_id": "any", "session_id": "any", "stream": True}, GUIDE, {"agent": "a"}) == {"agent_id": "a"}
    assert settle([], GUIDE, values) == []


def test_of_each_kind_one_comes_first() -> None:
    plain, more, lacking = {"message": "x"}, {"message": "y", "session_id": "s"}, {"agent_id": "a"}
    bodies = [b"{", b"", lacking, b"[", {**plain, "agent_id": "a"}, {**more, "agent_id": "a"}, plain]
    assert [bodies.index(body) for body in varied(bodies, GUIDE, "chat")] == [0, 2, 4, 5, 6, 1, 3]
