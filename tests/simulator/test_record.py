"""Recording a server and replaying it: the same events for the same requests, in every dialect, streamed and whole."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chatproof import Delta, Simulator, ToolCall, ToolResult
from chatproof.simulator.record.conversations import steps
from chatproof.simulator.record.exchange import Heard, Timed
from chatproof.simulator.script.reading import check
from chatproof.spec import names

from ..strangers import bare
from ..strangers.profiles import DIALECTS
from .canned import canned, stream
from .recorded import Ask, meaning, recorder

CANARY = "sk-canary-5c2e91d07f44"
SCRIPT = """\
script: 1
keys:
  other-customer-9: {}
  poor-customer-9: {balance: 0}
agents:
  shop:
    turns:
      start:
        - when: {contains: order}
          reply:
            - "One "
            - {text: "moment. ", after: 20ms}
            - {call: lookup, args: {id: 7, note: "{{ '{{ not a template }}' }}"}}
            - {call: weather, args: {}, result: sunny, takes: 10ms}
            - {result_of: lookup, result: {state: shipped, "on": [1, null, true]}}
            - {text: "It has been shipped, {{ '{%' }} as they say.", after: 15ms}
            - {pause: 10ms}
          usage: {input: 12, output: 30}
          goto: more
        - when: {contains: break}
          reply: ["I was ", {fail: "out of memory"}]
        - when: {contains: busy}
          refuse: {name: rate_limited, retry_after: 7, message: "Come back in 7 s."}
        - when: {contains: broken}
          refuse: internal_error
        - when: {contains: wrong}
          refuse: {name: invalid_request, message: is not what we want}
        - else: {say: "You said {{ request.message }} in {{ session.turn }}."}
      more:
        - when: {contains: thanks}
          say: "You are welcome."
          goto: start
"""


def asks(api: str) -> list[Ask]:
    """Two conversations that interleave, one without a name, and everything that may go wrong."""
    return [
        Ask(api, "shop", "my order", "a"),
        Ask(api, "shop", "my order", "b", stream=False),
        Ask(api, "shop", "my order", "a", key="other-customer-9"),
        Ask(api, "shop", "thanks", "b"),
        Ask(api, "shop", "thanks", "a", stream=False),
        Ask(api, "shop", "Hello"),
        Ask(api, "shop", "Hello", stream=False),
        Ask(api, "shop", "hello"),
        Ask(api, "unicode", "say it"),
        Ask(api, "unicode", "say it", stream=False),
        Ask(api, "shop", "break", stream=False),
        Ask(api, "shop", "busy"),
        Ask(api, "shop", "busy", "a"),
        Ask(api, "shop", "broken"),
        Ask(api, "shop", "wrong"),
        Ask(api, "shop", "let me in", key="no-such-key"),
        Ask(api, "shop", "let me in", key="poor-customer-9"),
        Ask(api, "nobody", "anybody there?"),
        *([Ask(api, "shop", "break")] if api == "reference" else []),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("api", names())
def test_a_replay_says_what_was_recorded(api: str, tmp_path: Path) -> None:
    (tmp_path / "up.yaml").write_text(SCRIPT)
    out = tmp_path / "out.yaml"
    with Simulator([api], seed=3, script=tmp_path / "up.yaml") as up, recorder(up.base_url, out, [api]) as proxy:
        direct = [ask.send(proxy.base_url) for ask in asks(api)]
    heard = [meaning(api, response, codes=True) for response in direct]
    found = check(out)
    assert found.script is not None, "\n".join(found.lines())
    assert all("is not documented in" in warning.message for warning in found.warnings)
    keys = list(dict.fromkeys(ask.key for ask in asks(api)))
    with Simulator([api], seed=4, script=out) as again:
        sent = [ask.send(again.base_url, f"key-recorded-{keys.index(ask.key) + 1}") for ask in asks(api)]
    for ask, before, after in zip(asks(api), heard, (meaning(api, one, codes=True) for one in sent), strict=True):
        assert after == before, ask
    assert proxy.recorder.left_out == []


@pytest.mark.slow
def test_the_conversation_of_a_client_with_ids_and_a_key_of_its_own_goes_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "up.yaml").write_text(SCRIPT)
    out = tmp_path / "out.yaml"
    with Simulator(["guide"], script=tmp_path / "up.yaml") as up, recorder(up.base_url, out, ["guide"]) as proxy:
        for message in ("my order", "thanks"):
            Ask("guide", "shop", message, "theirs").send(proxy.base_url)
    with Simulator(["guide"], script=out) as again:
        for session in ("mine", "mine", "another"):
            said = [
                meaning("guide", Ask("guide", "shop", word, session).send(again.base_url))[1]
                for word in ("my order", "thanks")
            ]
            assert [event.text for event in said[1][:-1]] == ["You", " are", " welcome."]


@pytest.mark.slow
def test_pieces_are_those_that_came(tmp_path: Path) -> None:
    """Two events together, one alone, and the end alone, each sent when the client has read the one before."""
    out = tmp_path / "out.yaml"
    second, third = threading.Event(), threading.Event()
    words = [json.dumps({"type": "token", "content": word}) for word in ("One", " two", " three")]
    head, _, events = stream(*words).partition(b"\r\n\r\n")
    blocks = [block + b"\n\n" for block in events.split(b"\n\n")[:-1]]
    parts = (head + b"\r\n\r\n" + blocks[0] + blocks[1], second, blocks[2], third, blocks[3])
    with canned(parts) as server, recorder(server.url, out, ["guide"]) as proxy:
        body = {"agent_id": "shop", "message": "Hello", "session_id": "s-1"}
        with httpx.stream("POST", f"{proxy.base_url}/chat", json=body) as reply:
            came = b""
            for got in reply.iter_bytes():
                came += got
                for count, go_on in ((2, second), (3, third)):
                    if came.count(b"\n\n") >= count:
                        go_on.set()
            assert b"done" in came
    with Simulator(["guide"], script=out, clock="frozen") as again:
        Ask("guide", "shop", "Hello", "s-1").send(again.base_url)
        (ours,) = again.journal.wait_for()
        assert ours.plan is not None
        writes = [write for write in ours.plan.writes if b"data:" in write.data]
        assert [write.data.count(b"data:") for write in writes] == [2, 1, 1]
        assert [write.due_s for write in writes] == sorted({write.due_s for write in writes})


def test_pauses_are_those_between_pieces() -> None:
    text, call, result = Delta("a {{ b"), ToolCall("look", {"at": "\ud83d"}), ToolResult("look", [1])
    events = (
        Timed(0.12, 0, text),
        Timed(0.12, 0, text),
        Timed(0.1604, 1, call),
        Timed(0.16042, 2, result),
        Timed(12.3, 3, Delta("")),
    )
    said = list(steps(Heard(1, "guide", "shop", None, None, "Hi", True, events, done_s=200.0)))
    assert said == [
        {"text": '{{ "a \\x7b\\x7b b" }}', "after": "120ms"},
        '{{ "a \\x7b\\x7b b" }}',
        {"call": "look", "args": {"at": '{{ "\\ud83d" }}'}, "result": [1], "takes": "0.1ms", "after": "40.4ms"},
        {"text": "", "after": "12139.5ms"},
        {"pause": "187.700s"},
    ]
    whole = (Timed(0.05, 0, result), Timed(0.05, 0, Delta("ok")))
    assert list(steps(Heard(1, "guide", "shop", None, None, "Hi", False, whole, done_s=0.05))) == [
        {"result_of": "look", "result": [1], "after": "50ms"},
        {"say": "ok"},
    ]


@pytest.mark.slow
@pytest.mark.parametrize("api", DIALECTS)
def test_a_stranger_is_recorded(api: str, tmp_path: Path) -> None:
    out = tmp_path / "out.yaml"
    turns = [
        Ask(api, bare.AGENT, "Hello", key=bare.KEY),
        Ask(api, bare.AGENT, "Hello", stream=False, key=bare.KEY),
        Ask(api, bare.AGENT, "Hello", key="somebody-else"),
        Ask(api, bare.AGENT, "Hello", "s-1", key=bare.KEY),
    ]
    with bare.serving(api) as url, recorder(url, out, [api]) as proxy:
        before = [meaning(api, ask.send(proxy.base_url)) for ask in turns]
    with Simulator([api], script=out) as again:
        after = [meaning(api, ask.send(again.base_url, f"key-recorded-{1 + (ask.key != bare.KEY)}")) for ask in turns]
    assert after == before
    assert [status for status, _ in before] == [200, 200, 401, 200]


@pytest.fixture(scope="module")
def asgi() -> Iterator[str]:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "strangers.asgi_server", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@pytest.mark.slow
def test_a_stranger_of_all_dialects_is_recorded_in_one_file(asgi: str, tmp_path: Path) -> None:
    out = tmp_path / "out.yaml"
    key = "sk-harbour-main-01"
    turns = [
        Ask(api, agent, message, session, stream, key)
        for api in DIALECTS
        for agent, message, session in (
            ("concierge", "My locker is number 12", "s"),
            ("toolsmith", "What is the weather?", None),
            ("concierge", "Which locker is mine?", "s"),
            ("broken", "Go on", "x"),
        )
        for stream in (True, False)
    ]
    with recorder(asgi, out) as proxy:
        before = [meaning(ask.api, ask.send(f"{proxy.base_url}/{ask.api}")) for ask in turns]
    found = check(out)
    assert found.script is not None, "\n".join(found.lines())
    with Simulator(script=out) as again:
        after = [meaning(ask.api, ask.send(again.url(ask.api), "key-recorded-1")) for ask in turns]
    for ask, one, other in zip(turns, before, after, strict=True):
        assert other == one, ask
