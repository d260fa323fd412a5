"""The journal: what an entry says, what it never says, how it ends, and that it stays small."""

from __future__ import annotations

import http.client
import json
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatproof.simulator import lines
from chatproof.simulator.app import Running, running
from chatproof.simulator.journal import Entry, Journal, as_json
from chatproof.simulator.journal_file import JournalFile, har
from chatproof.simulator.masking import headers, label, mask, veiled
from chatproof.simulator.plan import About, Plan, Write
from chatproof.simulator.population import GENEROUS, Key
from chatproof.simulator.request import HttpRequest
from chatproof.spec import FrozenClock

DEADLINE_S = 10.0
CANARY = 'sk-canary-\u00e9"7d41f09c2b'


def ended(server: Running, count: int) -> list[Entry]:
    """The entries, once ``count`` of them are over."""
    with server.journal.changed:
        assert server.journal.changed.wait_for(lambda: _over(server.journal) >= count, DEADLINE_S)
    return server.journal.entries()


def _over(journal: Journal) -> int:
    return sum(entry.over for entry in journal.entries())


def post(server: Running, path: str, body: Any, key: str = "key-valid", **headers: str) -> bytes:
    client = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=DEADLINE_S)
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    client.request(
        "POST", path, sent, {"Authorization": f"Bearer {key}".encode(), "Content-Type": "application/json", **headers}
    )
    got = client.getresponse().read()
    client.close()
    return got


@contextmanager
def dialled(server: Running, head: str, body: Any) -> Iterator[socket.socket]:
    host, port = server.base_url.removeprefix("http://").split(":")
    data = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as sock:
        sock.sendall(f"{head}Authorization: Bearer key-valid\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        yield sock


def test_an_entry_says_what_was_asked_and_answered() -> None:
    with running(["guide"], clock=FrozenClock(), seed=3) as server:
        got = post(server, "/chat", {"agent_id": "echo", "message": "Hi", "stream": False, "session_id": "s-1"})
        (entry,) = ended(server, 1)
    assert (entry.number, entry.at, entry.dialect, entry.operation) == (1, FrozenClock().now(), "guide", "chat")
    assert (entry.agent, entry.session, entry.key, entry.status, entry.said) == (
        "echo",
        "s-1",
        "[key valid]",
        200,
        "json echo",
    )
    assert (entry.method, entry.target, entry.json["message"], entry.closed) == ("POST", "/chat", "Hi", "kept")
    assert entry.headers["authorization"] == "Bearer [key valid]"
    assert entry.response.endswith(got)
    assert entry.response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert str(entry) == "#1 POST /chat 200 json echo session=s-1 kept"


def test_a_new_session_and_a_refusal_are_named() -> None:
    with running(["guide"], seed=3) as server:
        got = json.loads(post(server, "/chat", {"agent_id": "echo", "message": "Hi", "stream": False}))
        post(server, "/chat", {"message": "Hi"})
        first, second = ended(server, 2)
    assert first.session == got["session_id"]
    assert (second.refusal, second.status, second.agent) == ("invalid_request", 400, "")


def test_the_bytes_have_their_boundaries_and_times() -> None:
    with running(["guide"], variant="one-byte-writes") as server:
        post(server, "/chat", {"agent_id": "echo", "message": "Hi"})
        (entry,) = ended(server, 1)
    writes = entry.writes
    assert writes[0][1].endswith(b"\r\n\r\n")
    assert {data[:3] for _, data in writes[1:-1]} == {b"1\r\n"}
    times = [at for at, _ in writes]
    assert times == sorted(times)
    assert 0 <= times[0] <= (entry.took_s or 0)
    assert entry.variant == "one-byte-writes"


ENDINGS: dict[str, tuple[str | None, str, dict[str, Any]]] = {
    "kept": (None, "", {"agent_id": "echo", "message": "Hi"}),
    "server": (None, "Connection: close\r\n", {"agent_id": "echo", "message": "Hi"}),
    "reset": ("reset-mid-stream", "", {"agent_id": "unicode", "message": "Hi"}),
}


@pytest.mark.parametrize("closed", ENDINGS)
def test_who_ended_the_connection_is_known(closed: str) -> None:
    fault, header, body = ENDINGS[closed]
    with (
        running(["guide"], fault=fault) as server,
        dialled(server, f"POST /chat HTTP/1.1\r\nHost: x\r\n{header}", body),
    ):
        (entry,) = ended(server, 1)
    assert entry.closed == closed
    assert entry.faults == ((fault,) if fault else ())


def test_a_client_that_leaves_and_the_bytes_it_was_sent() -> None:
    with running(["guide"]) as server:
        body = {"agent_id": "slow", "message": "a b c d e f"}
        with dialled(server, "POST /chat HTTP/1.1\r\nHost: x\r\n", body) as sock:
            assert sock.recv(65536)
            (entry,) = server.journal.entries()
            assert (entry.over, entry.closed, entry.took_s) == (False, "", None)
        ended(server, 1)
    assert entry.closed == "client"
    assert b"done" not in entry.response
    assert entry.response.startswith(b"HTTP/1.1 200 OK")


def asked(number: int, size: int = 10) -> tuple[HttpRequest, Plan]:
    return HttpRequest("POST", f"/{number}", {}, b"x" * size), Plan((Write(0.0, b"y" * size),), "keep-alive")


def record(journal: Journal, number: int, size: int = 10) -> Entry:
    request, plan = asked(number, size)
    entry = journal.begin(request, 0.0, 0.0)
    entry.plan = plan
    journal.end(entry, 1.0, "kept")
    return entry


def test_it_keeps_the_newest() -> None:
    journal = Journal(3)
    for number in range(1, 10):
        record(journal, number)
    assert [entry.target for entry in journal.entries()] == ["/7", "/8", "/9"]
    assert [entry.number for entry in journal.entries()] == [7, 8, 9]


def test_it_keeps_fewer_where_they_are_large_and_at_least_the_last() -> None:
    journal = Journal(100, room=1_000_000)
    for number in range(20):
        record(journal, number, 100_000)
    assert 1 < len(journal) < 6
    assert journal.weight <= 1_000_000
    record(journal, 99, 5_000_000)
    assert [entry.target for entry in journal.entries()] == ["/99"]
    assert journal.forget(lambda _: True) == 1
    assert (len(journal), journal.weight) == (0, 0)


def test_an_entry_pushed_out_while_under_way_weighs_nothing() -> None:
    journal = Journal(1)
    request, plan = asked(1)
    early = journal.begin(request, 0.0, 0.0)
    early.plan = plan
    record(journal, 2)
    weight = journal.weight
    journal.end(early, 2.0, "kept")
    assert journal.weight == weight
    assert early.over


def test_none_is_none() -> None:
    journal = Journal(0)
    heard: list[Entry] = []
    journal.heard.append(heard.append)
    record(journal, 1)
    assert (len(journal), len(heard)) == (0, 1)


def test_recording_costs_the_same_memory_after_many_requests() -> None:
    journal = Journal(50)
    for number in range(200):
        record(journal, number)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2_000):
        record(journal, number)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000


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
    texts = [*map(str, shown), json.dumps(as_json(entry)), json.dumps(har([entry], "0")), lines.machine(entry), *log]
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


def test_the_file_is_json_lines_and_a_full_disk_stops_it_and_nothing_else(tmp_path: Path) -> None:
    with running(["guide"]) as server, JournalFile(tmp_path / "j.jsonl", print) as file:
        server.journal.heard.append(file)
        post(server, "/chat", {"agent_id": "echo", "message": "Hi"})
        post(server, "/none", {})
        ended(server, 2)
    rows = [json.loads(line) for line in (tmp_path / "j.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == [200, 404]
    assert rows[0]["writes"][-1]["bytes"].endswith("0\r\n\r\n")
    said: list[str] = []
    with JournalFile("/dev/full", said.append) as full:
        for number in range(2):
            full(record(Journal(), number))
    assert len(said) == 1


def test_har(tmp_path: Path) -> None:
    with running(["guide"], clock=FrozenClock()) as server:
        post(server, "/chat?x=1", {"agent_id": "echo", "message": "Hi"})
        archive = har(ended(server, 1), "9")["log"]
    (entry,) = archive["entries"]
    assert (archive["version"], archive["creator"]["version"]) == ("1.2", "9")
    assert entry["startedDateTime"] == "2026-01-01T00:00:00Z"
    assert entry["request"]["url"].startswith("http://127.0.0.1:")
    assert entry["request"]["queryString"] == [{"name": "x", "value": "1"}]
    assert entry["response"]["content"]["text"].startswith('data: {"type": "token"')
    assert entry["response"]["content"]["mimeType"] == "text/event-stream"
    assert entry["response"]["statusText"] == "OK"


def test_a_json_log_line_has_no_bodies() -> None:
    value = json.loads(lines.machine(record(Journal(), 1)))
    assert (value["event"], value["target"]) == ("request", "/1")
    assert not {"body", "headers", "writes"} & value.keys()


def test_a_crash_is_in_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    with running(["guide"], log=log.append) as server:
        monkeypatch.setattr(server.backend, "reply", lambda *_: 1 / 0)
        post(server, "/chat", {})
        (entry,) = ended(server, 1)
    assert "ZeroDivisionError" in entry.error
    assert (entry.closed, entry.status, entry.about) == ("server", 0, About())
