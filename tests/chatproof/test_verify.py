"""``chatproof verify`` as its users meet it: first mistakes, targets that cannot be judged, exit codes, what it leaves behind."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatproof.cli import cli, main
from chatproof.reports.write import load
from chatproof.simulator.app import running

KEY = "sk-canary-5f21c0"


def chatproof(*words: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env={"CHATPROOF_API_KEY": None, **(env or {})}).invoke(cli, [*words])


def verify(url: str, *words: str) -> Result:
    return chatproof("verify", url, "--dialect", "guide", "--api-key", KEY, "--agent", "a", *words)


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that gives every request the same bytes; with ``None`` it listens and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                if answer is None:
                    held.append(client)
                    continue
                with client:
                    client.recv(65536)
                    client.sendall(answer)
                    client.shutdown(socket.SHUT_WR)
                    client.recv(1)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for client in held:
            client.close()


def http(status: str, body: bytes, media_type: str = "application/json", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


UNUSABLE: dict[str, tuple[bytes, str]] = {
    "html": (http("200 OK", b"<!DOCTYPE html><p>hi</p>", "text/html"), "web page"),
    "refused key": (http("401 Unauthorized", b'{"detail": "no"}'), "look at the API key"),
    "no such path or agent": (http("404 Not Found", b'{"detail": "Not Found"}'), "base URL"),
    "another dialect": (http("422 Unprocessable Content", b'{"detail": "no"}'), "another dialect"),
    "no balance": (http("402 Payment Required", b"{}"), "balance"),
    "over the limit": (http("429 Too Many Requests", b"{}", "application/json", "Retry-After: 0"), "over its limit"),
    "elsewhere": (
        http("308 Permanent Redirect", b"", "text/plain", "Location: https://x.example/"),
        "https://x.example/",
    ),
    "not HTTP": (b"220 mail.example ESMTP\r\n", "not HTTP"),
    "nothing": (b"", "closed the connection"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_target_that_cannot_be_judged_is_explained(name: str) -> None:
    answer, words = UNUSABLE[name]
    with answering(answer) as url:
        result = verify(url)
    assert result.exit_code == 3
    assert words in result.output
    assert result.output.count("incomplete") == 1
    assert "Traceback" not in result.output


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = verify(f"http://127.0.0.1:{port}")
    assert result.exit_code == 3
    assert "nothing listens" in result.output


def test_a_server_that_hangs_is_left_at_its_deadline(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(
        "deadlines: {first_byte: 0.05s}\ncredentials: {valid: k}\nagents: {default: a}\ndialect: guide\n"
    )
    with answering(None) as url:
        result = chatproof("verify", url, "--profile", str(profile))
    assert result.exit_code == 3
    assert "sent nothing within 0.05 s" in result.output


def test_a_server_that_breaks_everything_is_nonconformant() -> None:
    with answering(http("200 OK", b'{"answer": 1}')) as url:
        result = verify(url, "--select", "reply/*")
    assert result.exit_code == 1
    assert "reply/text" in result.output


BAD_WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "dialect missing": (("http://127.0.0.1:1",), "--dialect is needed"),
    "dialect unknown": (("http://127.0.0.1:1", "--dialect", "giude"), "did you mean 'guide'"),
    "key missing": (("http://127.0.0.1:1", "--dialect", "guide"), "--api-key is needed"),
    "agent missing": (("http://127.0.0.1:1", "--dialect", "guide", "--api-key", "k"), "--agent is needed"),
    "scheme": (("ftp://x", "--dialect", "guide", "--api-key", "k", "--agent", "a"), "ftp"),
    "two dialects": (("http://127.0.0.1:1", "--dialect", "guide", "--dialect", "slug"), "one --dialect"),
    "no such option": (("--dialct", "guide"), "--dialect"),
    "pace": (("--pace", "fast"), "expected auto, off or a number"),
    "nothing selected": (("--select", "nothing/*", "--dialect", "guide"), "no requirement matches"),
    "profile missing": (("--profile", "nowhere.yaml"), "nowhere.yaml:1:1: cannot be read"),
    "level": (("--level", "most"), "must"),
}


@pytest.mark.parametrize("name", BAD_WORDS)
def test_a_mistake_on_the_command_line_is_one_message_and_exit_2(name: str) -> None:
    words, message = BAD_WORDS[name]
    result = chatproof("verify", *words)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_mistakes_in_a_profile_are_all_told_with_their_places(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("base_url: http://x\ncredential: {valid: x}\ndialect: guide\ndialect: slug\nclaims: [tool]\n")
    result = chatproof("verify", "--profile", str(profile))
    assert result.exit_code == 2
    assert [line.partition(" ")[0] for line in result.output.splitlines()] == [
        f"{profile}:{place}:" for place in ("2:1", "4:1", "5:10")
    ]
    assert "did you mean 'credentials'" in result.output


def test_an_unset_variable_is_named(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("base_url: http://x\ndialect: guide\ncredentials:\n  valid: ${NO_SUCH_KEY_HERE}\n")
    result = chatproof("verify", "--profile", str(profile))
    assert result.exit_code == 2
    assert result.output == f"{profile}:4:10: the environment variable NO_SUCH_KEY_HERE is not set\n"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Callable[[str], str]]:
    with running() as server:
        yield server.url


@pytest.mark.slow
def test_flags_alone_verify_a_good_server(simulator: Callable[[str], str], tmp_path: Path) -> None:
    words = ("--dialect", "slug", "--api-key", "key-valid", "--agent", "default", "--out", str(tmp_path))
    result = chatproof("verify", simulator("slug"), *words)
    assert result.exit_code == 0, result.output
    assert "needs credentials.limited" in result.output
    written = load(tmp_path / "result.json")
    assert written["verdict"] == "conformant"
    assert {path.name for path in tmp_path.iterdir()} == {
        "result.json", "report.html", "junit.xml", "summary.md", "result.sarif", "badge.svg", "slug.jsonl",
    }  # fmt: skip


@pytest.mark.slow
def test_no_secret_is_written_anywhere(tmp_path: Path) -> None:
    """The canary is in every request; a fault makes findings, with their curl commands."""
    with running(["guide"], fault="no-blank-line") as server:
        words = ("--dialect", "guide", "--api-key", "key-valid", "--agent", "default", "--out", str(tmp_path))
        result = chatproof("verify", server.url("guide"), *words)
    assert result.exit_code == 1
    assert "sse/blank-line" in result.output
    assert "key-valid" not in result.output
    assert [path.name for path in tmp_path.iterdir() if b"key-valid" in path.read_bytes()] == []
    hidden = re.findall(rb'"(?:data|binary)": "([^"]+)"', b"".join(path.read_bytes() for path in tmp_path.iterdir()))
    assert hidden
    assert [text for text in map(base64.b64decode, hidden) if b"key-valid" in text] == []


def test_a_key_in_the_bytes_of_a_finding_is_masked_in_its_window_too(tmp_path: Path) -> None:
    """A server that repeats the key is found out, and the hex window shows where, without giving the key away again."""
    body = b'{"detail": "%b is no key of mine"}' % KEY.encode()
    with answering(http("200 OK", body)) as url:
        result = verify(url, "--select", "auth/key-not-echoed", "--json", str(tmp_path / "r.json"))
    written = (tmp_path / "r.json").read_text()
    windows = "".join(
        row.partition("  ")[2].rpartition("  ")[0]
        for row in json.loads(written)["requirements"][0]["findings"][0]["window"].split("\n")
    )
    assert "auth/key-not-echoed" in result.output
    assert KEY not in written
    assert KEY.encode().hex(" ") not in windows.replace("  ", " ")
    assert b"is no key".hex(" ")[:8] in windows


@pytest.mark.parametrize(("answer", "code"), [(b'{"response": "x"}', 2), (b'{"answer": 1}', 1)])
def test_a_report_that_cannot_be_written_does_not_hide_the_verdict(answer: bytes, code: int, tmp_path: Path) -> None:
    """What else was asked for is written; a good verdict is not good enough, and a bad one keeps its exit code."""
    words = ("--select", "reply/text", "--json", "/dev/full", "--html", str(tmp_path / "r.html"))
    with answering(http("200 OK", answer)) as url:
        result = verify(url, *words)
    assert result.exit_code == code
    assert result.stderr == "chatproof: /dev/full: cannot be written: No space left on device\n"
    assert "guide: " in result.stdout
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("option", ["--json", "--junit", "--html", "--write-baseline", "--out"])
def test_where_nothing_can_be_written_is_said_before_anything_is_sent(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = verify("http://127.0.0.1:1", option, str(tmp_path / "file" / "x"))
    assert result.exit_code == 2
    assert result.output.startswith(f"chatproof: {option}: {tmp_path / 'file'}")
    assert result.output.endswith(f"cannot be written: {tmp_path / 'file'} is no folder\n")


@pytest.mark.slow
def test_the_budget_ends_a_run_as_incomplete(simulator: Callable[[str], str]) -> None:
    words = ("--dialect", "slug", "--api-key", "key-valid", "--agent", "default", "--max-requests", "9")
    result = chatproof("verify", simulator("slug"), *words)
    assert result.exit_code == 3
    assert "the budget of 9 requests is spent" in result.output


@pytest.mark.slow
def test_json_goes_to_standard_output_alone(simulator: Callable[[str], str]) -> None:
    words = ("--dialect", "slug", "--api-key", "key-valid", "--agent", "default", "--select", "reply/*", "--json", "-")
    result = chatproof("verify", simulator("slug"), *words)
    assert json.loads(result.stdout)["dialect"] == "slug"


@pytest.mark.slow
def test_judge_gives_the_same_verdict_as_the_live_run(tmp_path: Path) -> None:
    with running(["rest"], fault="remaining-never-falls") as server:
        words = ("--dialect", "rest", "--api-key", "key-valid", "--agent", "default", "--out", str(tmp_path))
        live = chatproof("verify", server.url("rest"), *words)
    again = chatproof("judge", str(tmp_path / "rest.jsonl"), "--json", str(tmp_path / "again.json"))
    assert again.exit_code == live.exit_code == 1
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("result.json", "again.json"))
    for result in (first, second):
        for row in result["requirements"]:
            row["findings"] = [{**finding, "curl": None} for finding in row["findings"]]
    assert second == first


def test_judge_refuses_what_is_no_transcript(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"transcript": "chatproof", "format": 1}\n{"scenarios": 0, "exchanges": 0}\n')
    result = chatproof("judge", str(path))
    assert result.exit_code == 2
    assert result.output == f"chatproof: {path}:1:1: the header does not tell enough of the run: 'dialect'\n"


class Interrupting:
    """A command line whose command is interrupted, as by Ctrl-C while it still imports."""

    def main(self, **_: object) -> None:
        raise KeyboardInterrupt


def test_ctrl_c_is_never_a_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("chatproof.cli.cli", Interrupting())
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert capsys.readouterr().err == "chatproof: interrupted\n"


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["verif"], 2), (["explain", "sse/status"], 0), (["spec", "no"], 2)]
)
def test_exit_codes_of_the_console_script(words: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["chatproof", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code or 0) == code
