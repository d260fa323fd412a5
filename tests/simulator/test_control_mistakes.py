"""What the control API took without a word, and now refuses: values that can mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
