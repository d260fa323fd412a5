"""What the control API took without a word, and now refuses: values that can mean nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from .controlled import Desk, controlled


@pytest.fixture(scope="module")
def control() -> Iterator[Desk]:
    with controlled() as desk:
        yield desk


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/faults", {"fault": "crlf", "dialect": "gide"}, "dialect: there is no 'gide' (did you mean 'guide'?)"),
        ("/faults", {"fault": "crlf", "begins": 10, "ends": 5}, "ends: expected later than begins=10, got 5"),
        (
            "/keys/top-up",
            {"key": "metered", "units": -5},
            "expected a whole number from 1, got -5; to leave a key less",
        ),
        ("/keys", {"name": "a key"}, "visible ASCII characters and no space"),
        (
            "/verify",
            {"match": {"status": "banana"}, "exactly": 0},
            "expected a status as 429, or a class of them as 4xx",
        ),
        ("/verify", {"match": {"fault": "reset-mid-strem"}, "exactly": 0}, "did you mean 'reset-mid-stream'"),
        ("/verify", {"order": [{"closed": "resett"}]}, "closed: there is no 'resett' (did you mean 'reset'?)"),
    ],
)
def test_a_value_that_can_mean_nothing_is_refused(path: str, body: Any, says: str, control: Desk) -> None:
    before = control.get("/faults"), control.get("/keys")
    assert says in control.problem("POST", path, body, 400)
    assert (control.get("/faults"), control.get("/keys")) == before


def test_a_path_is_matched_with_its_scope_and_without(control: Desk) -> None:
    at = control.post("/scopes", {"name": "one"}, 201)["urls"]["guide"]
    control.chat(at=at)
    for path in ("/guide/chat", "/@one/guide/chat"):
        assert control.get(f"/journal?scope=one&path={path}")["found"] == 1
    assert control.get("/journal?scope=one&path=/chat")["found"] == 0


def test_who_leaves_in_the_middle_of_a_body_is_no_line_of_the_log(control: Desk) -> None:
    place = urlsplit(control.control)
    said = f"POST /faults HTTP/1.1\r\nHost: {place.netloc}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
    with socket.create_connection((place.hostname or "", place.port or 0)) as left:
        left.sendall(said.encode())
        assert control.get("/health")["status"] == "ok"
    assert control.get("/health")["status"] == "ok"
    assert control.log == []


def test_a_clock_that_can_go_no_further_says_so_and_stays(control: Desk) -> None:
    control.post("/scopes", {"name": "far"}, 201)
    refused = ""
    for _ in range(400):
        reply = control.ask("POST", "/clock?scope=far", {"advance": 1e9})
        if reply.status_code != 200:
            refused = reply.json()["error"]["message"]
            break
    assert refused == "a clock moves to the year 9000 at most, not by 1e+09 s from where it is"
    assert control.get("/clock?scope=far")["shown"].startswith("89")
    at = control.server.base_url + "/@far/guide"
    assert control.chat(at=at).headers["date"].split()[3].startswith("89")
    hint = {"X-Chatproof-Fault": "http-429;form=http-date;wait=1000000000"}
    body = {"agent_id": "echo", "message": "x"}
    late = control.client.post(f"{at}/chat", json=body, headers={"Authorization": "Bearer key-valid", **hint})
    assert late.headers["retry-after"].split()[3].startswith("90")
