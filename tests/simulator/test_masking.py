"""No credential is told: not by an entry, a file, a log, however the answer was cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproof.simulator import lines
from chatproof.simulator.app import Running, running
from chatproof.simulator.journal import as_json
from chatproof.simulator.journal_file import JournalFile, har
from chatproof.simulator.masking import headers, label, mask, veiled
from chatproof.simulator.population import GENEROUS, Key

from .journalled import ended, post

CANARY = 'sk-canary-\u00e9"7d41f09c2b'


def forms(secret: str) -> list[bytes]:
    """The canary as text, JSON and bytes, and any six characters of it."""
    pieces = [secret[at : at + 6] for at in range(len(secret) - 5)]
    return [form for piece in pieces for form in (piece.encode(), json.dumps(piece)[1:-1].encode())]


PLACES: dict[str, Callable[[Running, str], object]] = {
    "bearer": lambda server, key: post(
        server, "/chat", {"agent_id": "echo", "message": "Hi"}, key.encode().decode("latin-1")
    ),
    "header": lambda server, key: post(
        server, "/chat", {"message": key}, **{"X-Api-Key": key.encode().decode("latin-1")}
    ),
    "query": lambda server, _: post(server, "/chat?api_key=sk-canary-7d41f09c2b&a=1", {}),
    "body": lambda server, key: post(server, "/chat", {"agent_id": "echo", "message": "Hi", "api_key": key}),
    "echoed": lambda server, key: post(
        _with(server, key), "/chat", {"agent_id": "echo", "message": f"it is {key} now"}
    ),
    "agent": lambda server, key: post(
        _with(server, key), "/chat", {"agent_id": key, "message": "Hi", "session_id": key}
    ),
}


def _with(server: Running, key: str) -> Running:
    """The server, where that key exists."""
    server.backend.realms["guide"].add(Key(key, GENEROUS))
    return server


@pytest.mark.parametrize("variant", [None, "one-byte-writes", "torn-events", "ascii-escapes"])
@pytest.mark.parametrize("place", PLACES)
def test_no_key_is_told(place: str, variant: str | None, tmp_path: Path) -> None:
    """Not by an entry, not as JSON, not in a HAR file, not in a log, however the answer was cut."""
    log: list[str] = []
    with (
        running(["guide"], variant=variant, log=log.append) as server,
        JournalFile(tmp_path / "j.jsonl", print) as file,
    ):
        server.journal.heard.append(file)
        PLACES[place](server, CANARY)
        (entry,) = ended(server, 1)
    shown = [
        entry.target,
        entry.headers,
        entry.body,
        entry.agent,
        entry.session,
        entry.key,
        entry.said,
        str(entry),
        repr(entry),
    ]
    texts = [*map(str, shown), json.dumps(as_json(entry)), json.dumps(har([entry])), lines.machine(entry), *log]
    told = "\n".join(texts).encode() + (tmp_path / "j.jsonl").read_bytes() + entry.response
    told += b"".join(line[:1] for line in told.split(b"\r\n"))
    assert [form for form in forms(CANARY) if form in told] == []
    payload = b"".join(data[3:-2] for _, data in entry.writes[1:-1])
    assert [form for form in forms(CANARY) if form in payload] == []


def test_a_created_key_is_not_told() -> None:
    with running(["rest"]) as server:
        made = json.loads(post(server, "/agents/default/api-keys", {"name": "n"}, "key-account"))["key"]
        post(server, "/v1/agents/default/chat", {"message": f"x {made} y"}, made)
        entries = ended(server, 2)
    assert all(made not in json.dumps(as_json(entry)) for entry in entries)
    assert entries[1].key == label(made) != "[key valid]"


def test_masks_keep_keys_apart_and_offsets_in_place() -> None:
    assert label("key-one") != label("key-two")
    assert mask({"a key-one": ["key-one", 1]}, ["key-one"]) == {f"a {label('key-one')}": [label("key-one"), 1]}
    assert mask("ab", ["a"]) == "ab"
    assert veiled(b"x key-one y", ["key-one"]) == b"x ******* y"
    assert headers({"x-api-key": "abc", "authorization": "Basic abc", "x-a": "abc"}, []) == {
        "x-api-key": "[masked]",
        "authorization": "[masked]",
        "x-a": "abc",
    }
