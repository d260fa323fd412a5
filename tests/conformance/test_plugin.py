"""The pytest plugin as another project meets it: its items, its outcomes, what it shows, and what it must never show or send."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from chatproof.cli import cli
from chatproof.conformance.allure import account, printable, without
from chatproof.conformance.plugin import WANTED

from .plugged import IDS, NODES, PLUGIN, SSE, Run, items, serving

pytest_plugins = "pytester"
slow = pytest.mark.slow

CANARY = "sk-canary-7d41f09c2b"
NOWHERE = "http://127.0.0.1:9"


@slow
def test_a_good_server_passes_beside_the_projects_own_tests(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    with serving() as (url, _):
        result = run(url, *SSE, "-v", "--strict-markers", "-W", "error", "--junitxml=junit.xml")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"chatproof: guide at {url}", f"*collected {len(IDS) + 2} items", "*test_own PASSED*"])
    assert items(result) == NODES
    cases = {
        case.attrib["name"]: {found.attrib["name"]: found.attrib["value"] for found in case.iter("property")}
        for case in ET.parse(pytester.path / "junit.xml").iter("testcase")
    }
    facts = ("sse/blank-line", "WHATWG HTML 9.2.6", "MUST", "pass", "AMB-12")
    names = ("requirement", "citation", "level", "outcome", "ambiguity")
    assert cases["sse/blank-line"] == {f"chatproof.{name}": fact for name, fact in zip(names, facts, strict=True)}
    assert (len(cases), cases["verdict"]["chatproof.verdict"]) == (len(NODES) + 1, "conformant")


ACCOUNT = """\
expected a blank line after every event, got * run together *
MUST sse/blank-line (WHATWG HTML 9.2.6)
  in        ex-*, byte 0
    000000  64 61 74 61 3a *
  curl *-H "Authorization: Bearer $CHATPROOF_KEY" *
  also ex-*
  fail   sse/blank-line
FAILED chatproof::guide::sse/blank-line - *
FAILED chatproof::guide::verdict - *"""


@slow
def test_a_fault_fails_the_item_of_its_requirement_and_the_verdict_and_nothing_else(run: Run) -> None:
    with serving("no-blank-line") as (url, _):
        result = run(url, *SSE, "--showlocals", "--tb=long")
        assert run(url, *SSE, "-x").parseoutcomes()["failed"] == 1
    assert (result.ret, result.parseoutcomes()["failed"]) == (1, 2)
    result.stdout.fnmatch_lines(ACCOUNT.split("\n"))
    result.stdout.no_fnmatch_line("*plugin.py:[0-9]*")


@slow
def test_an_unreachable_server_is_never_green(run: Run) -> None:
    """The verdict fails and the rest is skipped with the reason; where the verdict was deselected, the rest fails."""
    result = run(NOWHERE, *SSE, "-rs")
    result.assert_outcomes(failed=1, skipped=len(IDS))
    result.stdout.fnmatch_lines(["incomplete: nothing *", f"SKIPPED [[]{len(IDS)}] *: not verified: nothing listens *"])
    result = run(NOWHERE, *SSE, "-k", "not verdict")
    result.assert_outcomes(failed=len(IDS), deselected=1)
    result.stdout.fnmatch_lines(["the run is incomplete: not verified: nothing listens at *"])
    assert run("ftp://nowhere").ret == pytest.ExitCode.USAGE_ERROR


STRICTNESS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "as it is": ((), {"passed": 2, "warnings": 1}),
    "strict": (("--chatproof-strict",), {"failed": 2}),
    "warnings are errors": (("-W", "error"), {"failed": 1, "passed": 1}),
}


@slow
@pytest.mark.parametrize("name", STRICTNESS)
def test_a_should_warns_and_fails_only_for_the_strict(run: Run, name: str) -> None:
    words, outcomes = STRICTNESS[name]
    with serving("bom") as (url, _):
        result = run(url, "--chatproof-select", "sse/no-bom", *words)
    assert result.parseoutcomes() == outcomes
    result.stdout.fnmatch_lines(["*expected *, got *"])
    result.stdout.no_fnmatch_line("*_fail(*")


BREAKING = """
import dataclasses, pathlib, pytest
from chatproof.conformance import check, judge, run
def crash(*given, **more):
    print("x", end="", file=pathlib.Path("calls.txt").open("a"))
    raise {error}
"""


@slow
@pytest.mark.parametrize("error", ["TypeError('of ours')", "pytest.fail.Exception('timeout')"])
def test_a_crash_of_ours_happens_once_and_reads_as_ours(run: Run, pytester: pytest.Pytester, error: str) -> None:
    pytester.makeconftest(BREAKING.format(error=error) + "run.verify = crash\n")
    result = run(NOWHERE, *SSE)
    assert (pytester.path / "calls.txt").read_text() == "x"
    assert (result.ret, "passed" in result.parseoutcomes()) == (1, False)
    result.stdout.fnmatch_lines(["incomplete: chatproof crashed, or was stopped"])
    assert ("TypeError: of ours" in result.outlines) == (error == "TypeError('of ours')")


@slow
def test_a_check_that_crashes_is_an_error_and_not_the_targets_failure(run: Run, pytester: pytest.Pytester) -> None:
    broken = "check.CHECKS[ID] = dataclasses.replace(check.CHECKS[ID], judge_one=crash)\n"
    pytester.makeconftest(BREAKING.format(error="TypeError('of ours')") + "ID = 'framing.blank_line'\n" + broken)
    with serving() as (url, _):
        result = run(url, *SSE)
    result.assert_outcomes(errors=1, failed=1, passed=len(IDS) - 1)
    result.stdout.fnmatch_lines(["*ERROR at setup of sse/blank-line*", "the check crashed: *", "incomplete: *"])


@slow
def test_no_more_is_sent_than_the_items_need(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATPROOF_API_KEY", "key-valid")
    with serving() as (url, log):
        result = run(url, "--collect-only", "-q", key="")
        assert (result.ret, log) == (0, [])
        assert "chatproof::guide::sse/blank-line" in items(result)
        run(url, "-k", "sse/blank-line", key="").assert_outcomes(passed=1, deselected=len(items(result)) - 1)
        few = len(log)
        run(url, "-k", "session/")
        assert 0 < few < len(log) - few


@slow
def test_the_projects_tests_and_conftest_stay_out_where_asked(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.clear()")
    with serving() as (url, _):
        assert run(url, *SSE).ret == pytest.ExitCode.NO_TESTS_COLLECTED
        result = run(url, *SSE, "--chatproof-only", ".", "-v")
    assert result.ret == 0
    assert items(result) == NODES
    result.stdout.no_fnmatch_line("*test_own*")


@slow
def test_without_an_option_nothing_of_the_judge_is_imported(run: Run, pytester: pytest.Pytester) -> None:
    heavy = {"chatproof.spec", "chatproof.conformance.judge", "aiohttp", "h11", "jsonschema", "yaml", "sqlite3"}
    pytester.makepyfile(test_light=f"import sys\ndef test_light(): assert not {heavy} & set(sys.modules)")
    pytester.runpytest_subprocess("-p", PLUGIN, "--strict-markers").assert_outcomes(passed=1)


GOOD = {"--url": "http://127.0.0.1:1", "--dialect": "guide", "--api-key": "k", "--agent": "a"}
MISTAKES = """\
--dialect= --api-key= --agent= --dialect=guid --url=127.0.0.1:1
--profile=missing.yaml --profile=bad.yaml --profile=unset.yaml"""


def refusal(pytester: pytest.Pytester, options: dict[str, str]) -> str:
    words = [word for name, value in options.items() if value for word in (name.replace("--", "--chatproof-"), value)]
    with pytest.raises(pytest.UsageError) as raised:
        pytester.parseconfigure("-p", PLUGIN, *words)
    return str(raised.value)


@pytest.mark.parametrize("mistake", MISTAKES.split())
@pytest.mark.usefixtures("run")
def test_a_mistake_is_told_in_the_words_of_the_command_line(mistake: str, pytester: pytest.Pytester) -> None:
    (pytester.path / "bad.yaml").write_text("base: 1\nclaims: [magic]\n")
    (pytester.path / "unset.yaml").write_text("credentials:\n  valid: ${CHATPROOF_UNSET_FOR_SURE}\n")
    options = {**GOOD, **dict([mistake.split("=")])}
    words = [word for name, value in options.items() if value and name != "--url" for word in (name, value)]
    told = CliRunner().invoke(cli, ["verify", options["--url"], *words])
    line = told.stderr.strip().removeprefix("chatproof: ")
    assert told.exit_code == 2
    assert refusal(pytester, options) == (f"--chatproof-{line[2:]}" if line.startswith("--") else line)


@pytest.mark.usefixtures("run")
def test_the_key_is_in_no_option_and_no_argument_once_it_is_read(pytester: pytest.Pytester) -> None:
    words = [word.replace("--", "--chatproof-") for pair in {**GOOD, "--api-key": CANARY}.items() for word in pair]
    config = pytester.parseconfigure("-p", PLUGIN, *words)
    assert CANARY not in f"{vars(config.option)} {config.invocation_params} {config.stash[WANTED]}"


@pytest.mark.usefixtures("run")
def test_what_would_verify_nothing_is_a_mistake(pytester: pytest.Pytester) -> None:
    assert refusal(pytester, {"--dialect": "guide"}).startswith("--chatproof-url is needed")
    assert "no requirement matches no/*; see" in refusal(pytester, {**GOOD, "--select": "no/*"})


class Telling(BaseHTTPRequestHandler):
    """Says the key in every stream, and puts no blank line between its events."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps({"type": "token", "content": (self.headers["Authorization"] or "")[7:]})
        done = json.dumps({"type": "done", "session_id": "s", "usage": {"input_tokens": 1, "output_tokens": 1}})
        head = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        self.wfile.write(f"{head}data: {said}\ndata: {done}\n\n".encode())

    def log_message(self, *words: object) -> None: ...


@contextmanager
def telling() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def leaks(folder: Path) -> list[str]:
    """The files that hold a piece of the canary, as it is or in hexadecimal: rows of bytes may cut it."""
    pieces = [CANARY[at : at + 6].encode() for at in range(len(CANARY) - 5)]
    forms = [form for piece in pieces for form in (piece, piece.hex().encode(), piece.hex(" ").encode())]
    return [path.name for path in folder.rglob("*") if path.is_file() and any(f in path.read_bytes() for f in forms)]


LOUD = ("-v", "-rA", "-l", "--tb=long", "--full-trace", "--debug", "--trace-config", "--junitxml=junit.xml")


@slow
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "workers"])
def test_no_secret_is_shown(run: Run, pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    with telling() as url:
        result = run(url, *SSE, *LOUD, "-p", "allure_pytest", "--alluredir=allure", *workers, key=CANARY)
    result.stdout.fnmatch_lines(["FAILED chatproof::guide::sse/blank-line - *"])
    assert {"stdout", "junit.xml", "pytestdebug.log"} <= {path.name for path in pytester.path.iterdir()}
    assert leaks(pytester.path) == []


def test_what_is_shown_hides_the_key_and_cannot_steer_a_terminal_or_break_a_file() -> None:
    words = ("-q", "--key", "s3", "--key=s3", "s3", "--keys", "s3")
    assert without("--key", words) == ("-q", "--key", "[redacted]", "--key=[redacted]", "s3", "--keys", "s3")
    nothing = dict.fromkeys(("exchange", "offset", "window", "curl"))
    finding = {"expected": "a word", "got": "\x1b[2J\ud800", **nothing}
    cited = {"document": "a", "section": "1"}
    row = {"id": "a/b", "level": "MUST", "statement": "s", "citation": cited, "reason": None, "findings": [finding]}
    text = printable(account(row))
    assert text.splitlines()[0] == r"expected a word, got \x1b[2J\ud800"
    assert text.isascii()
