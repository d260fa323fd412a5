"""``chatproof faults``: a list that fits a screen, an explanation, data with a published shape; and ``serve --fault``."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from chatproof import Simulator
from chatproof.cli import cli
from chatproof.faults_command import WIDTH
from chatproof.simulator.aim import TOLD
from chatproof.simulator.catalogue import SCHEMA
from chatproof.simulator.faults import CATALOGUE

DOC = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_the_list_has_all_of_them_by_layer_and_fits() -> None:
    out = run("faults").output
    named = re.findall(r"^  ([a-z0-9-]+) +(?:legal|occasional|violation) ", out, re.MULTILINE)
    assert sorted(named) == sorted(CATALOGUE)
    assert re.findall(r"^(\w+): ", out, re.MULTILINE) == ["decision", "events", "encoding", "framing", "transport"]
    assert max(map(len, out.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "http-429",
            ["decision, occasional", "form=seconds", "the judge, who finds nothing", "X-Chatproof-Fault: http-429"],
        ),
        ("crlf", ["encoding, legal", "none: it is legal"]),
        ("bom", ["encoding, legal", "sse/no-bom"]),
        ("never-402", ["in reference balance/refused, balance/stream-endpoint"]),
        ("stall", ["seconds=10: of silence; a number of seconds from 0 to 600", "stall;seconds=2"]),
        ("gzip", ["--compressed"]),
        ("torn-writes", ["--raw"]),
        ("session-leaks-between-keys", ["--next", "key-other-customer"]),
    ],
)
def test_one_is_explained(name: str, says: list[str]) -> None:
    out = run("faults", name)
    assert out.exit_code == 0
    flat = re.sub(r"\s+", " ", out.output)
    for words in ("does", "breaks", "good clients", "noticed by", "curl -sNi", *says):
        assert words in flat, out.output


def test_a_name_that_there_is_none_of() -> None:
    result = run("faults", "text-lots")
    assert result.exit_code == 2
    assert result.output == "chatproof faults: no fault 'text-lots' (did you mean 'text-lost'?)\n"


def test_the_data_has_its_published_shape() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    data = json.loads(run("faults", "--json").output)
    Draft202012Validator(schema).validate(data)
    assert [row["fault"] for row in data["faults"]] == list(CATALOGUE)
    assert [row["fault"] for row in json.loads(run("faults", "--json", "bom").output)["faults"]] == ["bom"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--fault", "text-lots"], "no fault 'text-lots' (did you mean 'text-lost'?)"),
        (["--fault", "stall;secnds=2"], "'stall' takes no word 'secnds' (did you mean 'seconds'?)"),
        (["--fault", "stall;begins=noon"], "begins: expected seconds from 0, or a time of day as 17:30, got 'noon'"),
        (["--variant", "crfl"], "no variant 'crfl' (did you mean 'crlf'?)"),
        (["--variant", "zzz"], "no variant 'zzz'; there are empty-content, one-delta,"),
        (["--variant", "torn-writes"], "'torn-writes' is no variant: put it in force as a fault"),
    ],
)
def test_serve_refuses_what_there_is_none_of(words: list[str], says: str) -> None:
    result = run("serve", "--port", "0", *words)
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.slow
def test_serve_takes_several_and_warns_where_two_meet() -> None:
    flags = ["--fault", "http-503;times=1", "--fault", "capital-data", "--fault", "no-space", "--no-magic", "--quiet"]
    command = [sys.executable, "-m", "chatproof", "serve", "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("chatproof serves on")
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=20)
    assert errors.splitlines() == [
        "warning: f2 capital-data and f3 no-space are both on the layer encoding: where they meet, the one added last wins"
    ]


def test_an_early_response_does_not_wait_for_the_body() -> None:
    head = "POST /guide/chat{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-valid\r\nContent-Type: application/json\r\n{}Content-Length: 100000\r\n\r\n"
    with Simulator(clock="frozen") as sim:
        asked = [
            head.format("", "X-Chatproof-Fault: early-response\r\n"),
            head.format("?chatproof-fault=early-response", ""),
            head.replace("key-valid", "key-fault-early-response").format("", ""),
        ]
        for raw in asked:
            assert _first(sim.base_url, raw).startswith(b"HTTP/1.1 413 ")
        sim.fault("early-response", key="key-valid", times=1)
        assert _first(sim.base_url, head.format("", "")).startswith(b"HTTP/1.1 413 ")
        assert [entry.faults for entry in sim.journal] == [("early-response",)] * 4


def _first(base_url: str, raw: str) -> bytes:
    host, _, port = base_url.rpartition("/")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(raw.encode())
        return connection.recv(65536)


def test_the_page_names_words_and_options_that_exist() -> None:
    table = DOC.partition("## Aims\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+)(?:=[^`]*)?`(?=[^|]*\|[^|]*\|$)", table, re.MULTILINE)) >= {*TOLD, "headers"} - {
        "begins"
    }
    flags = {flag for command in cli.commands.values() for option in command.params for flag in option.opts}
    text = re.sub(r"python -m bench\S* --\w+", "", DOC)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= flags
    known = set(CATALOGUE) | {name.partition(";")[0] for name in CATALOGUE}
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", DOC, re.MULTILINE)) - {"headers"} <= known
