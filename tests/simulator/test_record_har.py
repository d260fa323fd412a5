"""A script out of an HTTP Archive: ours with every write, a browser's with what it knows; and what is no archive."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chatproof import Entry, Simulator
from chatproof.cli import cli
from chatproof.simulator.script.reading import check

from .recorded import Ask, meaning
from .test_record import SCRIPT, asks

CANARY = "sk-canary-b07f66a1d9"
EVENTS = 'data: {"chunk": "Gr\u00fc\u00dfe "}\n\ndata: {"chunk": "aus Kiel"}\n\ndata: [DONE]\n\n'


def pieces(entry: Entry) -> list[int]:
    """How many events each write of a response has."""
    return [data.count(b"data:") for _, data in entry.writes if b"data:" in data]


def imported(har: Any, out: Path, *words: str) -> Result:
    path = out.with_suffix(".har")
    path.write_text(har if isinstance(har, str) else json.dumps(har), "utf-8")
    return CliRunner().invoke(cli, ["init", "--script", "--from-har", str(path), "--out", str(out), *words])


@pytest.mark.slow
@pytest.mark.parametrize("api", ["guide", "reference"])
def test_our_own_archive_says_what_was_said(api: str, tmp_path: Path) -> None:
    (tmp_path / "up.yaml").write_text(SCRIPT)
    turns = [ask for ask in asks(api) if ask.key == "key-valid"]
    with Simulator([api], seed=3, script=tmp_path / "up.yaml") as up:
        before = [meaning(api, ask.send(up.base_url), codes=True) for ask in turns]
        up.journal.wait_for(len(turns))
        har = up.journal.har()
        wrote = [pieces(entry) for entry in up.journal.find()]
    done = imported(har, tmp_path / "out.yaml", "--dialect", api)
    assert done.exit_code == 0, done.output
    with Simulator([api], script=tmp_path / "out.yaml") as again:
        after = [meaning(api, ask.send(again.base_url, "key-recorded-1"), codes=True) for ask in turns]
        again.journal.wait_for(len(turns))
        assert [pieces(entry) for entry in again.journal.find()] == wrote
    assert after == before


def browsers(url: str, body: Any, content: Any, status: int = 200, media: str = "application/json", **more: Any) -> Any:
    """An entry as a browser's network panel saves it."""
    headers = [{"name": ":method", "value": "POST"}, {"name": "Authorization", "value": f"Bearer {CANARY}"}]
    return {
        "startedDateTime": "2026-01-01T00:00:00.000Z",
        "time": 350.5,
        "request": {"method": "POST", "url": url, "headers": headers, "postData": {"mimeType": "application/json", "text": json.dumps(body)}},
        "response": {"status": status, "headers": [{"name": "content-type", "value": media}, {"name": "content-encoding", "value": "br"}], "content": content},
        "timings": {"blocked": 2.1, "dns": -1, "send": 0.5, "wait": 120, "receive": 230},
        **more,
    }  # fmt: skip


def archive(*entries: Any) -> Any:
    return {"log": {"version": "1.2", "creator": {}, "entries": list(entries)}}


CHAT = "https://chat.example.com/some/where/v1/api/chat/support"


@pytest.mark.slow
def test_a_browsers_archive(tmp_path: Path) -> None:
    stream = {"size": 1, "encoding": "base64", "text": base64.b64encode(EVENTS.encode()).decode()}
    whole = {
        "text": json.dumps(
            {"data": {"response": "Moin", "conversationId": "c-1", "metadata": {"tokens": 7}}, "error": None}
        )
    }
    page = browsers("https://chat.example.com/app.css", None, {"text": "a{}"}, media="text/css")
    gone = browsers(CHAT, {"message": "Gone"}, {}, status=0)
    har = archive(
        page,
        browsers(CHAT, {"message": "Hello", "stream": True}, stream, media="text/event-stream"),
        browsers(f"{CHAT}?x=1", {"message": f"And {CANARY}?", "conversationId": "c-1"}, whole),
        gone,
    )
    out = tmp_path / "out.yaml"
    done = imported(har, out, "--dialect", "slug")
    assert done.exit_code == 0, done.output
    assert "2 exchanges in 2 conversations, 1 left out; 1 other requests are no chats" in done.output
    assert "#4 left out: it has no response" in done.output
    written = out.read_text()
    assert CANARY not in written + done.output
    found = check(out)
    assert found.script is not None
    (rules,) = found.script.agents["support"].turns.values()
    waits = [getattr(step, "after_s", None) for step in rules[0].steps]
    assert waits == pytest.approx([0.1205, 0, 0.23])
    with Simulator(["slug"], script=out, clock="frozen") as sim:
        status, events = meaning("slug", Ask("slug", "support", "Hello").send(sim.base_url, "key-recorded-1"))
        assert (status, "".join(event.text for event in events[:-1])) == (200, "Gr\u00fc\u00dfe aus Kiel")
        reply = meaning("slug", Ask("slug", "support", "And key-recorded-1?", "c-1", stream=False).send(sim.base_url))
        assert reply == (200, [{"text": "Moin", "session": "c-1", "total_tokens": 7}])


BAD = [
    ("{", "bad.har:1:2: is not JSON"),
    ('{"log":\n {"entries": [}}', "bad.har:2:15: is not JSON"),
    ("[]", "bad.har: /: this is no HAR: [] is not of type 'object'"),
    ({"log": {"entries": {}}}, "bad.har: /log/entries: this is no HAR: {} is not of type 'array'"),
    (archive({"request": {"method": "POST", "url": 7, "headers": []}, "response": {"status": 1, "headers": [], "content": {}}}), "bad.har: /log/entries/0/request/url: this is no HAR: 7 is not of type 'string'"),
    (archive(browsers(CHAT, {}, {"text": "?", "encoding": "base64"})), "bad.har: /log/entries/0/response/content/text: is not base64"),
    (archive(browsers("http://[", {}, {"text": "?"})), "bad.har: /log/entries/0/request/url: 'http://[' is no URL"),
    (archive(browsers(CHAT, {}, {"text": "?"}, time=10**9)), "bad.har: /log/entries/0/time: this is no HAR: 1000000000 is greater than the maximum"),
    (json.dumps(archive(browsers(CHAT, {}, {"text": "?"}))).replace("230", "1e999"), "bad.har: /log/entries/0/timings/receive: this is no HAR: inf is greater than the maximum"),
    (archive(), "none of its 0 requests has an answer in guide or reference or rest or slug that a script can give"),
    (archive(browsers(CHAT, {"message": "Hi"}, {"text": "?"})), "#1 left out: the reply has no text where slug documents it: ?"),
]  # fmt: skip


@pytest.mark.parametrize(("har", "says"), BAD)
def test_what_is_no_archive(har: Any, says: str, tmp_path: Path) -> None:
    done = imported(har, tmp_path / "bad.yaml")
    assert done.exit_code == 2
    assert says in done.output
    assert not (tmp_path / "bad.yaml").exists()


def test_nothing_is_overwritten_and_flags_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.yaml"
    out.write_text("mine")
    done = imported(archive(), out)
    assert (done.exit_code, "exists already" in done.output, out.read_text()) == (2, True, "mine")
    for words in (
        ["--from-har", "x"],
        ["--script", "--from-har", "x", "http://y"],
        ["--script", "--from-har", "x", "--agent", "a"],
    ):
        refused = CliRunner().invoke(cli, ["init", *words])
        assert (refused.exit_code, "--from-har goes with --script" in refused.output) == (2, True)
    missing = CliRunner().invoke(
        cli, ["init", "--script", "--from-har", str(tmp_path / "none.har"), "--out", str(tmp_path / "n.yaml")]
    )
    assert (missing.exit_code, "none.har:1:1: cannot be read" in missing.output) == (2, True)
