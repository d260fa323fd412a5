"""``chatproof report`` and ``compare`` as their users meet them: every face, first mistakes, exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chatproof.cli import cli
from chatproof.conformance.run import Progress
from chatproof.load.result import EXIT_CODES
from chatproof.output import show
from chatproof.reports.write import FACES, as_json, load
from chatproof.verify import progress_line

from ..reports.conftest import a_row, a_run

Json = dict[str, Any]
Write = Callable[..., str]


def chatproof(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a result of these outcomes of ``a/one``, ``a/two``… as ``verify --json`` does, and gives its path."""

    def written(name: str, *outcomes: str, **changes: Any) -> str:
        names = ("a/one", "a/two", "a/three")
        rows = [a_row(outcome, name) for name, outcome in zip(names, outcomes, strict=False)]
        (tmp_path / name).write_text(as_json(a_run(rows, **changes)))
        return str(tmp_path / name)

    return written


def test_a_result_is_shown(write: Write) -> None:
    result = chatproof("report", write("r.json", "pass", "fail"))
    assert result.exit_code == 0
    assert "a/two" in result.output
    assert result.output.endswith("✕ guide: nonconformant. 2 of 2 requirements decided: 1 pass, 1 fail.\n")


def test_every_face_is_written(write: Write, tmp_path: Path) -> None:
    made = [tmp_path / "out" / f"r{suffix}" for suffix in FACES]
    words = [word for path in made for word in ("--to", str(path))]
    result = chatproof("report", write("r.json", "pass", "fail"), *words)
    assert (result.exit_code, result.output) == (0, "")
    assert all("two" in path.read_text() for path in made if path.suffix != ".svg")
    assert load(tmp_path / "out" / "r.json") == load(tmp_path / "r.json")


def test_several_files_become_one_report(write: Write, tmp_path: Path) -> None:
    one, two = write("one.json", "pass"), write("two.json", "pass", dialect="slug")
    assert chatproof("report", one, two, "--to", str(tmp_path / "both.json")).exit_code == 0
    assert [run["dialect"] for run in load(tmp_path / "both.json")["runs"]] == ["guide", "slug"]


def test_a_page_is_opened(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return 0

    monkeypatch.setattr("click.launch", launch)
    result = chatproof("report", write("r.json", "pass"), "--open")
    assert result.output == f"{opened[0]}\n"
    assert Path(opened[0].removeprefix("file://")).read_text().startswith("<!doctype html>")


def test_without_a_browser_one_is_told_where_the_page_is(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.launch", lambda url: 1)
    result = chatproof("report", write("r.json", "pass"), "--open")
    assert result.exit_code == 0
    assert result.output.startswith("no browser could be started; the page is file:///")


@pytest.mark.parametrize("command", ["report", "compare"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[:500], "the file was cut off, or never finished"),
        (lambda text: text.replace('"fail"', '"pass"', 1), "footer.sha256: is not that of the report"),
        (lambda text: '{"kind": "tea"}', "kind: expected verification, verifications or load"),
        (lambda text: json.dumps({**json.loads(text), "footer": None}), "footer: is missing"),
    ],
)
def test_a_file_that_does_not_add_up_is_refused(
    command: str, spoil: Callable[[str], str], message: str, write: Write
) -> None:
    good, bad = write("good.json", "pass", "fail"), write("bad.json", "pass", "fail")
    Path(bad).write_text(spoil(Path(bad).read_text()))
    result = chatproof(command, good, bad)
    assert result.exit_code == 2
    assert result.output.startswith(f"chatproof: {bad}: ")
    assert message in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("before", "after", "words", "code"),
    [
        (["pass", "fail"], ["pass", "fail"], [], 0),
        (["fail", "pass"], ["pass", "pass"], [], 0),
        (["pass", "pass"], ["fail", "pass"], [], 1),
        (["pass", "pass"], ["warn", "pass"], [], 0),
        (["pass", "pass"], ["warn", "pass"], ["--strict"], 1),
        (["pass"], ["pass", "fail"], [], 0),
    ],
)
def test_only_what_is_newly_broken_breaks(
    before: list[str], after: list[str], words: list[str], code: int, write: Write
) -> None:
    assert chatproof("compare", write("a.json", *before), write("b.json", *after), *words).exit_code == code


def test_a_comparison_is_written_as_a_page(write: Write, tmp_path: Path) -> None:
    page = tmp_path / "c.html"
    result = chatproof(
        "compare", write("a.json", "pass"), write("b.json", "fail"), write("c.json", "pass"), "--to", str(page)
    )
    assert result.exit_code == 0
    assert "Fixed (1)" in result.output
    assert "a/one" in page.read_text()


def test_what_cannot_be_compared_is_said(write: Write) -> None:
    cut = write("cut.json", "pass", verdict="incomplete", reason="interrupted")
    result = chatproof("compare", write("a.json", "pass"), cut)
    assert result.exit_code == 3
    assert result.output.startswith("chatproof: not comparable: cut.json: guide is incomplete (interrupted)")


def test_mistakes_of_compare_are_one_line(write: Write) -> None:
    one = write("a.json", "pass")
    for words, message in (((one,), "FILES: expected two"), ((one, one, "--to", "x.pdf"), "--to: x.pdf: expected")):
        result = chatproof("compare", *words)
        assert result.exit_code == 2
        assert result.output.startswith(f"chatproof: {message}")


def test_one_file_twice_is_the_same_as_before(write: Write) -> None:
    one = write("a.json", "pass", "fail")
    result = chatproof("compare", one, one)
    assert result.exit_code == 0
    assert "1 still failing; 1 as before." in result.output


class Terminal(io.StringIO):
    """Standard output of a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_only_where_they_are_wanted(
    variable: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    show(a_run([a_row("fail", "a/one")]))
    assert ("\x1b[" in terminal.getvalue()) == colored


def test_progress_tells_what_is_left_of_the_budget() -> None:
    assert progress_line(Progress("session", 4, 12, 57), 300) == "session (4/12), 57 requests sent, 243 left"
    assert progress_line(Progress("session", 4, 12, 57), None) == "session (4/12), 57 requests sent"
    recalled = Progress("recall", 4, 12, 57, ("session", "stream"))
    assert progress_line(recalled, 300) == "session, stream: recall (4/12), 57 requests sent, 243 left"


def code_of(folder: Path) -> int:
    """What the verdict exits with. That of a load may be 3: others may keep this machine busy."""
    result = load(folder / "run.json")
    return EXIT_CODES[result["verdict"]] if result["kind"] == "load" else 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full here")
@pytest.mark.parametrize(
    ("words", "wrote"),
    [
        (["verify", "--dialect", "guide", "--select", "stream/*", "--json", "run.json"], True),
        (["load", "--rate", "5", "--for", "1s", "--json", "run.json"], True),
        (["faults"], False),
    ],
    ids=["verify", "load", "a list"],
)
def test_standard_output_that_takes_nothing_costs_a_line_and_no_file(
    words: list[str], wrote: bool, tmp_path: Path
) -> None:
    told = [sys.executable, "-m", "chatproof", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(told, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert done.stderr.count("\n") == 1, done.stderr
    assert "cannot be written: No space left on device" in done.stderr
    assert (tmp_path / "run.json").exists() is wrote
    assert done.returncode == (code_of(tmp_path) or 2 if wrote else 2)


@pytest.mark.slow
def test_a_reader_that_has_gone_is_no_error(tmp_path: Path) -> None:
    told = [sys.executable, "-m", "chatproof", "load", "--rate", "5", "--for", "1s", "--json", "run.json"]
    with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as run:
        assert run.stdout is not None
        run.stdout.close()
        assert run.stderr is not None
        said = run.stderr.read()
    assert (run.returncode, said) == (code_of(tmp_path), "")
