"""How the words of ``chatproof load`` are told apart."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from chatproof.load_options import Objectives

URL = "http://127.0.0.1:8080/guide?a=b"


@click.command(cls=Objectives)
@click.argument("url", required=False)
@click.option("--objective", multiple=True)
@click.option("--json", "file")
def told(url: str | None, objective: tuple[str, ...], file: str | None) -> None:
    click.echo((url, objective, file))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--objective", "a < 1", "b > 20/s", "--json", "x"], (None, ("a < 1", "b > 20/s"), "x")),
        ([URL, "--objective", "a < 1", "b > 2", "c=0"], (URL, ("a < 1", "b > 2", "c=0"), None)),
        (["--objective", "a < 1", URL, "--objective", "b > 2"], (URL, ("a < 1", "b > 2"), None)),
        (["--objective", "a < 1", "./folder=x"], ("./folder=x", ("a < 1",), None)),
        (["--objective", "--json", "x"], ("x", ("--json",), None)),
        (["calibrate", "--json", "a<b"], ("calibrate", (), "a<b")),
    ],
)
def test_several_objectives_may_follow_one_flag(words: list[str], found: tuple[object, ...]) -> None:
    assert CliRunner().invoke(told, words).output.strip() == str(found)


def test_what_is_neither_is_one_too_many() -> None:
    done = CliRunner().invoke(told, [URL, "--objective", "a < 1", "b"])
    assert done.exit_code == 2
    assert "unexpected extra argument" in done.output
