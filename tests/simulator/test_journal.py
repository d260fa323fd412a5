"""The journal: what an entry says, what it never says, how it ends, and that it stays small."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from chatproof.simulator import lines
from chatproof.simulator.app import running
from chatproof.simulator.journal import Entry, Journal
from chatproof.simulator.journal_file import JournalFile, har
from chatproof.simulator.plan import About, Plan, Write
from chatproof.simulator.request import HttpRequest
from chatproof.spec import FrozenClock

from .journalled import dialled, ended, post


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
            assert server.pacer.streams == 1
            assert (entry.over, entry.closed, entry.took_s) == (False, "", None)
        ended(server, 1)
    assert (entry.closed, server.pacer.streams) == ("client", 0)
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
        archive = har(ended(server, 1))["log"]
    (entry,) = archive["entries"]
    assert (archive["version"], archive["creator"]["name"]) == ("1.2", "chatproof")
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
