"""What passes the proxy and what does not: bytes, headers, broken servers, clients that leave; and no key anywhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatproof import Simulator
from chatproof.simulator import lines
from chatproof.simulator.journal import Entry, Journal, as_json
from chatproof.simulator.journal_file import har
from chatproof.simulator.record.recorder import Recorder
from chatproof.simulator.record.serve import Recording
from chatproof.simulator.requests import Requests
from chatproof.simulator.script.reading import check

from .canned import canned, stream, whole
from .recorded import Ask, meaning, recorder

CANARY = "sk-canary-5c2e91d07f44"
COOKIE = "crumbs-81c6d0aa93"
HELLO = Ask("guide", "shop", "Hello", "s-1")
REPLY = json.dumps({"response": "Hi", "session_id": "s-1", "usage": {}}).encode()


def text(word: str) -> str:
    return json.dumps({"type": "token", "content": word})


def ended(made: Recording, count: int = 1) -> list[Entry]:
    return Requests(made.journal, lambda entry: True).wait_for(count)


def left_out(recorder: Recorder) -> list[str]:
    return [one.why for one in recorder.left_out]


@pytest.mark.slow
def test_bytes_and_headers_pass_and_what_is_of_one_connection_does_not(tmp_path: Path) -> None:
    body = b'data: {"type": "token",\r\ndata: "content": "\xc3\xbc"}\r\rdata: ?\n\n: x\n'
    cut = [body[:30], body[30:46], body[46:]]
    chunks = b"".join(b"%x;x=1\r\n%b\r\n" % (len(part), part) for part in cut) + b"0\r\n\r\n"
    head = (
        b"HTTP/1.1 200 Fine\r\nX-Two: 1\r\ncontent-TYPE: text/event-stream\r\nX-Two: 2\r\nConnection: close, X-Mine\r\n"
        b"X-Mine: 1\r\nKeep-Alive: timeout=9\r\nX-Odd: \xe9\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    sent = {"X-Mine": "yes", "TE": "trailers", "Connection": "X-Gone, close", "X-Gone": "1", "Accept-Encoding": "br"}
    with canned([head + chunks]) as server, recorder(server.url, tmp_path / "o.yaml", ["guide"]) as made:
        reply = httpx.post(
            f"{made.base_url}/chat?a=%2F%20b", content=b'{"message": 1}', headers={**sent, "User-Agent": "mine"}
        )
        assert reply.content == body
        assert (reply.status_code, reply.reason_phrase) == (200, "Fine")
        names = [(name.decode(), value) for name, value in reply.headers.raw]
        assert names[:3] == [("X-Two", b"1"), ("content-TYPE", b"text/event-stream"), ("X-Two", b"2")]
        assert ("X-Odd", b"\xe9") in names
        assert not {"x-mine", "keep-alive"} & {name.lower() for name, _ in names}
        (entry,) = ended(made)
        assert entry.response.endswith(b"0\r\n\r\n")
    asked = server.asked[0]
    assert asked.startswith(b"POST /chat?a=%2F%20b HTTP/1.1\r\n")
    assert asked.endswith(b'\r\n\r\n{"message": 1}')
    given = asked.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"Host: {server.url.removeprefix('http://')}".encode() in given
    assert b"X-Mine: yes" in given
    assert b"Accept-Encoding: br" in given
    assert b"User-Agent: mine" in given
    assert not any(line.lower().startswith((b"te:", b"x-gone:", b"content-type:")) for line in given)


@pytest.mark.slow
def test_a_packed_request_passes_packed_and_is_read(tmp_path: Path) -> None:
    asked = json.dumps({"agent_id": "shop", "message": "Packed", "api_key": CANARY, "stream": False}).encode()
    bodies = [gzip.compress(asked), b"no gzip at all"]
    with (
        canned(*([whole(REPLY)] for _ in bodies)) as server,
        recorder(server.url, tmp_path / "o.yaml", ["guide"]) as made,
        httpx.Client(verify=False) as client,
    ):
        for body in bodies:
            reply = client.post(f"{made.base_url}/chat", content=body, headers={"Content-Encoding": "gzip"})
            assert reply.content == REPLY
        journal = repr([as_json(entry) for entry in ended(made, len(bodies))])
    assert [one.partition(b"\r\n\r\n")[2] for one in server.asked] == bodies
    assert [heard.message for heard in made.recorder.heard] == ["Packed"]
    assert CANARY not in journal
    assert "Packed" in journal
    assert left_out(made.recorder)[0].startswith("its body asks nothing")


@pytest.mark.slow
def test_a_stream_passes_as_it_comes(tmp_path: Path) -> None:
    go_on = threading.Event()
    first, rest = stream(text("One"), done=False), stream(text(" two")).partition(b"\r\n\r\n")[2]
    with canned([first, go_on, rest]) as server, recorder(server.url, tmp_path / "o.yaml", ["guide"]) as made:
        with httpx.stream("POST", f"{made.base_url}/chat", json={"agent_id": "shop", "message": "Hello"}) as reply:
            parts = reply.iter_bytes()
            assert b"One" in next(parts)
            go_on.set()
            assert b"done" in b"".join(parts)
        ended(made)
        (heard,) = made.recorder.heard
        assert next(timed.piece for timed in heard.events) < heard.events[1].piece
        assert heard.events[0].at_s <= heard.events[1].at_s


@pytest.mark.slow
def test_a_server_that_is_not_there_or_breaks_off(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    with recorder(gone, tmp_path / "a.yaml", ["guide"]) as made:
        reply = HELLO.send(made.base_url)
        assert (reply.status_code, reply.headers["content-type"]) == (502, "text/plain; charset=utf-8")
        assert reply.text.startswith(f"chatproof serve --record: {gone} cannot be asked: ")
        (entry,) = ended(made)
        assert (entry.status, entry.closed) == (502, "kept")
        assert "cannot be asked" in entry.error
    assert not (tmp_path / "a.yaml").exists()
    half = stream(text("One"), done=False, headers="Transfer-Encoding: chunked\r\n").replace(
        b"\r\n\r\n", b"\r\n\r\nff\r\n"
    )
    for answer in (half, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"):
        with canned([answer]) as server, recorder(server.url, tmp_path / "b.yaml", ["guide"]) as made:
            with pytest.raises(httpx.RemoteProtocolError):
                HELLO.send(made.base_url)
            (entry,) = ended(made)
            assert (entry.status, entry.closed) == (200, "server")
            assert "broke off" in entry.error
        assert left_out(made.recorder) == [entry.error]
    with canned([b"nonsense\r\n\r\n"]) as server, recorder(server.url, tmp_path / "c.yaml", ["guide"]) as made:
        assert HELLO.send(made.base_url).status_code == 502


@pytest.mark.slow
def test_a_client_that_leaves(tmp_path: Path) -> None:
    stays = threading.Event()
    with canned([stream(text("One"), done=False), stays]) as server, recorder(server.url, tmp_path / "o.yaml") as made:
        with httpx.stream("POST", f"{made.base_url}/chat", json={"agent_id": "shop", "message": "Hello"}) as reply:
            next(reply.iter_bytes())
        (entry,) = ended(made)
        assert entry.closed == "client"
        stays.set()
    assert left_out(made.recorder) == ["the client left before the end"]


ODD = [
    (whole(REPLY, "302 Found", "Location: /x\r\n"), "the answer is a 302"),
    (whole(b"{}", "418 Teapot"), "no refusal of guide is a 418: {}"),
    (whole(b"<html>"), "the reply has no text where guide documents it: <html>"),
    (whole(REPLY, headers="Content-Encoding: br\r\n"), "its content coding 'br' is not read here"),
    (whole(REPLY, headers="Content-Encoding: gzip\r\n"), "its body cannot be decompressed"),
    (stream(text("One"), done=False), "the stream ends without its last event, after 1 event"),
    (stream(text("One")).rstrip(b"\n"), "the stream ends without its last event, after 1 event"),
]


@pytest.mark.slow
def test_what_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    answers = [answer for answer, _ in ODD]
    good = whole(gzip.compress(REPLY), headers="Content-Encoding: gzip\r\n")
    unknown = stream(
        text("One"), '{"type": "thought", "content": "hm"}', "ping", '{"type": "token", "content": 7}', text(" two")
    )
    other = whole(b'{"detail": "Slow down.", "retry_after": 9}', "429 Slow")
    with (
        canned(*([one] for one in (*answers, good, unknown, other))) as server,
        recorder(server.url, out, ["guide"]) as made,
        httpx.Client(verify=False) as client,
    ):
        for _ in answers:
            with client.stream("POST", f"{made.base_url}/chat", json={"agent_id": "shop", "message": "Hello"}) as reply:
                assert list(reply.iter_raw())
        assert HELLO.send(made.base_url).json() == json.loads(REPLY)
        HELLO.send(made.base_url)
        HELLO.send(made.base_url)
    for told, (_, expected) in zip(left_out(made.recorder), ODD, strict=True):
        assert told.startswith(expected)
    written = out.read_text()
    for number, (_, expected) in enumerate(ODD, 1):
        assert f"#   #{number}: {expected}" in written
    notes = [note for heard in made.recorder.heard for note in heard.notes]
    assert len(notes) == 4
    assert notes[0].startswith("a stream reply was asked for")
    assert all("is none that guide documents" in note for note in notes[1:])
    found = check(out)
    assert found.script is not None
    talk = found.script.agents["shop"].turns
    assert [rule.refuse and rule.refuse.retry_after for rules in talk.values() for rule in rules] == [None, None, 9]


@pytest.mark.slow
def test_no_key_is_in_anything_that_is_written(tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    cut = stream(text(f"Your key is {CANARY[:9]}"), text(CANARY[9:15]), text(f"{CANARY[15:]}, isn't it?"))
    cookie = f"Set-Cookie: sid={COOKIE}; Path=/\r\n"
    answers = [
        cut,
        whole(json.dumps({"response": f"{CANARY} {COOKIE}", "session_id": CANARY}).encode(), headers=cookie),
        whole(json.dumps({"detail": f"bad key {CANARY}"}).encode(), "401 No"),
        whole(json.dumps({"detail": f"{CANARY}"}).encode(), "418 Teapot"),
    ]
    with canned(*([one] for one in answers)) as server, recorder(server.url, out, ["guide"]) as made:
        for _ in answers:
            ask = Ask("guide", f"agent-{CANARY}", f"I am {CANARY}", f"s-{CANARY}", key=CANARY)
            httpx.post(
                f"{made.base_url}/chat?api_key={CANARY}",
                json={"agent_id": ask.agent, "message": ask.message, "session_id": ask.session},
                headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"sid={COOKIE}", "X-Api-Key": CANARY},
            )
        entries = ended(made, 4)
        shown: list[Any] = [as_json(entry) for entry in entries]
        logs = [line(entry) for entry in entries for line in (lines.plain, lines.machine)]
        everything = json.dumps([shown, har(entries), logs]) + str(Requests(made.journal, lambda entry: True))
    written = out.read_text()
    for secret in (CANARY, COOKIE):
        assert secret not in everything
        assert secret not in written
    assert CANARY[:9] not in written  # not in pieces either
    assert written.count("key-recorded-1") >= 5
    found = check(out)
    assert found.script is not None, "\n".join(found.lines())
    (rules, *_) = found.script.agents["agent-key-recorded-1"].turns.values()
    said = "".join(str(getattr(step, "text", "")) for step in rules[0].steps)
    assert said == "Your key is key-recorded-1, isn't it?"


@pytest.mark.slow
def test_tools_may_say_anything_and_the_rest_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    deep = "[" * 600 + "]" * 600
    odd = '{"a b": {"on": null, "1": 1e400, "~": 1e-7, "=": "=", "x: y": "2026-01-01", "\\u2028": ["\\u0085", "yes", "{{ x }}", "\\ud800"]}}'
    good, half, far = (
        f'{{"response": "ok", "session_id": "s", "usage": {{}}, "tool_calls": [{{"name": "a", "args": {args}, "result": {result}}}]}}'
        for args, result in (
            (odd.replace("1e400", "12345678901234567890"), "0.1"),
            ('{"\\ud800": 1}', "1"),
            ("{}", deep),
        )
    )
    bodies = [good, half, far, good]
    with (
        canned(*([whole(body.encode())] for body in bodies)) as server,
        recorder(server.url, out, ["reference"]) as made,
    ):
        before = [
            meaning("reference", Ask("reference", "a", "Hi", "s", stream=False).send(made.base_url)) for _ in bodies
        ]
    assert [one.number for one in made.recorder.left_out] == [2, 3]
    with Simulator(["reference"], script=out) as again:
        after = meaning(
            "reference", Ask("reference", "a", "Hi", "s", stream=False).send(again.base_url, "key-recorded-1")
        )
    for _, (said,) in (before[0], after):
        said.pop("total_tokens", None), said.pop("input_tokens", None), said.pop("output_tokens", None)
    assert after == before[0]


@pytest.mark.slow
def test_a_key_that_was_made_is_hidden_and_recorded_by_its_number(tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    with Simulator(["rest"]) as up, recorder(up.base_url, out, ["rest"]) as made:
        account = {"Authorization": f"Bearer {up.key('account')}"}
        key = httpx.post(f"{made.base_url}/agents/echo/api-keys", json={"name": "mine"}, headers=account).json()["key"]
        assert Ask("rest", "echo", f"I have {key}", key=key).send(made.base_url).status_code == 200
        entries = ended(made, 2)
        shown = json.dumps([[as_json(entry) for entry in entries], har(entries)])
    assert key not in shown + out.read_text()
    assert "it makes a key, and is no chat" in out.read_text()
    found = check(out)
    assert found.script is not None
    assert list(found.script.keys) == ["key-recorded-2"]


@dataclass
class Slow:
    """A recorder whose first text is long in the making."""

    begun: threading.Event
    go_on: threading.Event
    heard: int = 1

    def copy(self) -> Slow:
        return replace(self)

    def text(self, name: str) -> str:
        if self.heard == 1:
            self.begun.set()
            self.go_on.wait(10)
        return f"{name} {self.heard}"


def test_what_ends_while_the_script_is_written_is_written_too(tmp_path: Path) -> None:
    async def main() -> None:
        slow: Any = Slow(threading.Event(), threading.Event())
        made = Recording("", slow, Journal(), tmp_path / "o", print)
        writing = asyncio.create_task(made.write_on())
        made.changed.set()
        await asyncio.to_thread(slow.begun.wait, 10)
        slow.heard = 2
        made.changed.set()
        finishing = asyncio.create_task(made.finish(writing))
        slow.go_on.set()
        await finishing

    asyncio.run(main())
    assert (tmp_path / "o").read_text() == "o 2"
    assert [path.name for path in tmp_path.iterdir()] == ["o"]
