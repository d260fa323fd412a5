"""The exchanges that a report carries: those that findings cite, whole where they are short, masked, and never too much."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatproof.conformance import proof
from chatproof.conformance.check import Finding
from chatproof.conformance.exchange import End, Request
from chatproof.conformance.judge import Evidence, Judged
from chatproof.conformance.proof import AROUND, BEGINNING, ENDING, READS, exchanges
from chatproof.conformance.run import Facts, Run
from chatproof.conformance.seen import Seen
from chatproof.conformance.transcript import Transcript
from chatproof.spec import Citation, Requirement, dialect

from .recorded import arriving, known, response, see

ROW = Requirement("a/b", "MUST", "It is so", Citation("guide.txt", "X"), "stated", check="reply.status")


def told(*found: Finding, scenarios: Sequence[Transcript] = ()) -> list[dict[str, Any]]:
    run = Run(
        Evidence(dialect("guide"), known(), scenarios),
        Facts(7, 0.0, 1.0, 9, None),
        (Judged(ROW, "fail", None, found),),
        "nonconformant",
    )
    return exchanges(run, ("secret-key",))


def at(seen: Seen, offset: int | None = None) -> Finding:
    return Finding("this", "that", seen, offset)


def data(bytes_: dict[str, Any]) -> bytes:
    return b"".join(base64.b64decode(piece["data"]) for piece in bytes_["slices"])


def test_what_findings_cite_is_told_once_in_the_order_of_the_run() -> None:
    recorded = [replace(see(response(200, {"n": n})).exchange, id=f"ex-{n}") for n in range(4)]
    seen = [Seen(one, dialect("guide"), known()) for one in recorded]
    found = told(at(seen[2]), at(seen[1], 3), at(seen[2], 1), scenarios=[Transcript("talk", tuple(recorded))])
    assert [(one["id"], one["scenario"]) for one in found] == [("ex-1", "talk"), ("ex-2", "talk")]
    assert told(Finding("this", "that")) == []


def test_request_and_response_are_there_as_they_were() -> None:
    (one,) = told(at(see(response(429, {"detail": "no"}, headers=[("X-Twice", "1"), ("X-Twice", "2")]))))
    assert data(one["request"]["bytes"]).startswith(b"POST /chat HTTP/1.1\r\nHost: 127.0.0.1:1\r\n")
    assert data(one["request"]["bytes"]).endswith(b"\r\n\r\n{}")
    assert one["response"]["status"] == 429
    assert [value for name, value in one["response"]["headers"] if name == "X-Twice"] == ["1", "2"]
    assert data(one["response"]["body"]) == b'{"detail": "no"}'
    assert (one["raw"], one["end"], one["response"]["chunks"]) == (None, "complete", [])


def test_secrets_are_masked_in_every_byte_and_keep_their_length() -> None:
    request = Request("POST", "/chat/secret-key", (("Authorization", "Bearer somebody-else"),), b'{"k": "secret-key"}')
    seen = see(response(200, b"before secret-key after", headers=[("X-Key", "secret-key")]), request=request)
    (one,) = told(at(seen, 7))
    sent, body = data(one["request"]["bytes"]), data(one["response"]["body"])
    for text in (sent.decode(), body.decode(), str(one)):
        assert "secret-key" not in text
        assert "somebody-else" not in text
    assert len(body) == len(b"before secret-key after")
    assert body.startswith(b"before *")


def test_a_long_body_is_told_in_part_with_what_surrounds_each_finding() -> None:
    body = bytes(n % 251 for n in range(100_000))
    seen = see(response(200, body))
    (one,) = told(at(seen, 50_000), at(seen, 50_100))
    told_body = one["response"]["body"]
    assert told_body["size"] == 100_000
    spans = [(piece["at"], piece["at"] + len(base64.b64decode(piece["data"]))) for piece in told_body["slices"]]
    assert spans == [(0, BEGINNING), (50_000 - AROUND, 50_100 + AROUND), (100_000 - ENDING, 100_000)]
    for piece in told_body["slices"]:
        part = base64.b64decode(piece["data"])
        assert part == body[piece["at"] : piece["at"] + len(part)]


def test_a_run_tells_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "MOST", 20_000)
    seen = [
        Seen(replace(see(response(200, b"x" * 9_000)).exchange, id=f"ex-{n}"), dialect("guide"), known())
        for n in range(30)
    ]
    found = told(*(at(one) for one in seen))
    assert len(found) == 30
    assert sum(len(data(one["response"]["body"])) for one in found) <= 20_000
    assert {one["response"]["body"]["size"] for one in found} == {9_000}
    assert found[-1]["response"]["body"]["slices"] == []


def test_reads_say_when_they_came_and_how_much_of_the_body_was_there() -> None:
    (one,) = told(at(arriving((0.5, b"data: 1\n\n"), (1.0, b"data: 22\n\n"), (1.5, b""))))
    assert [read["at_ms"] for read in one["reads"]] == [0.0, 500.0, 1000.0, 1500.0]
    assert [read["body"] for read in one["reads"]] == [0, 9, 19, 19]
    assert one["response"]["chunks"] == [0, 9]
    assert sum(read["size"] for read in one["reads"]) == len(arriving((0.5, b"data: 1\n\n"), (1.0, b"data: 22\n\n"), (1.5, b"")).exchange.raw)  # fmt: skip


def test_thousands_of_reads_are_told_in_part() -> None:
    (one,) = told(at(see([(n / 1000, bytes([byte])) for n, byte in enumerate(response(200, b"x" * 2_000))])))
    assert len(one["reads"]) == READS
    assert one["reads"][-1]["body"] == 2_000


@pytest.mark.parametrize("raw", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b""])
def test_what_is_no_http_is_told_as_it_came(raw: bytes) -> None:
    (one,) = told(at(see(raw, end=End.CLOSED)))
    assert data(one["raw"]) == raw
    assert (one["response"] is None) == (not raw.startswith(b"HTTP"))
