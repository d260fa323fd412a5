"""First mistakes: one line that names the flag and what was expected, exit code 2; a target that is not there, exit code 3."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from chatproof.cli import cli
from chatproof.load.prompts import load_prompts, load_times
from chatproof.load_command import main
from chatproof.spec import BadFile


def ran(*words: str) -> int:
    """The command's exit code, in this process: none of these comes as far as Locust."""
    command = cli.commands["load"]
    try:
        with command.make_context("load", list(words)) as context:
            return main(**context.params)
    except SystemExit as end:
        return int(str(end.code))
    except click.UsageError:
        return 2


TARGET = ["http://127.0.0.1:9", "--dialect", "guide", "--api-key", "k", "--agent", "a"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rate", "5", "--users", "5"], "--rate, --users and --schedule"),
        (["--schedule", "spkie:5,9"], "did you mean 'spike'"),
        (["--for", "soon"], "--for: expected a duration"),
        (["--think", "soon", "--dry-run"], "--think: expected a duration"),
        (["--objective", "ttft p95 < 800"], "--objective"),
        (["--find-capacity", "ttft p95 < 1s", "--schedule", "ramp:1-5"], "--find-capacity begins at one rate"),
        (["--find-capacity", "tfft p95 < 1s"], "did you mean 'ttft'"),
        (["--prompts", "nowhere.jsonl"], "nowhere.jsonl:1:1: cannot be read"),
        (["--schedule", "replay:nowhere"], "nowhere:1:1: cannot be read"),
        (["http://example.com", "--dialect", "guide", "--api-key", "k", "--agent", "a", "--rate", "11"], "--i-own-this-target"),
        (["http://example.com", "--dialect", "guide", "--api-key", "k", "--agent", "a", "--users", "11"], "--i-own-this-target"),
        (["http://127.0.0.1:9", "--dialect", "gide"], "did you mean 'guide'"),
        (["http://127.0.0.1:9", "--dialect", "guide"], "--api-key is needed"),
        ([*TARGET, "--turns", "/dev/null/turns.jsonl"], "--turns"),
        ([*TARGET, "--json", "/dev/null/x"], "--json: /dev/null/x: cannot be written"),
        (["--rate", "nan"], "--rate: expected turns a second"),
        (["--schedule", "constant:0", "--for", "2s"], "constant:0: no turn is due in 2 s"),
        (["--objective", "ok > 990%"], "no share is above 100%"),
        (["--find-capacity", "ttft p95"], "--find-capacity: expected NAME"),
        (["--json-replies", "--objective", "ttft p95 < 1s"], "JSON replies have no ttft, only ttfb, duration"),
        (["--json-replies", "--find-capacity", "gap p95 < 1s"], "--find-capacity: 'gap p95 < 1s': JSON replies have no gap"),
        (["--find-capacity", "ttfb p95 < 1s", "--pacing", "respect"], "--pacing respect holds it back"),
        (["--find-capacity", "ttfb p95 < 1s", "--users", "20", "--most", "5"], "begins at 20, which is above --most 5"),
        (["--find-capacity", "ttfb p95 < 1s", "--turns", "turns"], "a search is many runs"),
        (["--find-capacity", "goodput > 20/s"], "goodput > 20/s: more load keeps it and less does not"),
        (["--find-capacity", "ok > 99%", "--objective", "rate >= 5/s"], "rate >= 5/s: more load keeps it"),
        (["--schedule", "constant:5/2s", "--for", "3s"], "--for 3s: constant:5/2s takes 2 s by itself; leave one of them out"),
        (["--most", "5"], "--most is where --find-capacity ends"),
        (["--pacing", "probe", "--rate", "5", "--html", "x"], "--pacing probe takes no --rate, --html"),
        (["calibrate", "--users", "5"], "calibrate takes no --users"),
        (["--turns", "-"], "--turns: expected a file"),
        (["--json", "-", "--csv", "-"], "--json and --csv both write to standard output"),
        (["--json", "x", "--html", "x"], "--json and --html both write x"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_code_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_target_that_is_not_there_is_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*TARGET, "--rate", "1") == 3
    assert "nothing listens at http://127.0.0.1:9" in capsys.readouterr().err


def test_a_run_that_never_began_leaves_no_file(tmp_path: Path) -> None:
    """An empty one would be taken for a result that was cut off."""
    assert ran(*TARGET, "--rate", "1", "--json", str(tmp_path / "run.json"), "--turns", str(tmp_path / "turns")) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_draws_the_rate_and_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*TARGET, "--schedule", "spike:5,50", "--for", "20s", "--dry-run", "--seed", "1") == 0
    out = capsys.readouterr().out
    assert "about 280 turns in 20 s, 50/s at most" in out
    assert "█" in out
    assert "nothing was sent" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--find-capacity", "ttft p95 < 1s", "--rate", "5", "--most", "80"], "a search, with up to 80, until it misses ttft p95 < 1s"),
        (["--pacing", "probe", "--max-requests", "50"], "until one is refused, 50 at most"),
    ],
)  # fmt: skip
def test_a_dry_run_says_what_is_not_one_run(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(*TARGET, *words, "--dry-run") == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "expected JSON"),
        ("3", "expected a text"),
        ('{"messages": []}', "expected a text"),
        ('{"message": 3}', "expected a text"),
    ],
)
def test_a_bad_line_of_prompts_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(f'"fine"\n{line}\n')
    with pytest.raises(BadFile, match=f"prompts.jsonl:2:1: {said}"):
        load_prompts(file)


def test_prompts_and_times_are_read(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    rows = ["one", {"message": "two"}, {"messages": ["three", "four"]}]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    assert load_prompts(file) == (("one",), ("two",), ("three", "four"))
    file.write_text("1.5\n\n2\n")
    assert load_times(file) == [1.5, 2]
    for word in ("soon", "nan", "inf"):
        file.write_text(f"1.5\n{word}\n")
        with pytest.raises(BadFile, match=f"2:1: expected a number of seconds, got '{word}'"):
            load_times(file)
