"""Law 10: every request the judge sends is valid against our own OpenAPI document, unless its scenario says that it is not."""

from __future__ import annotations

import json

import pytest

from chatproof.conformance.schema import request_violations
from chatproof.spec import Dialect

from .memory import all_dialects, verify

KNOWN_GOOD_BODY = ("get", "head", "nowhere", "no-host", "content-type", "surrogate", "huge")
"""Requests that are wrong in something else than their JSON."""


@pytest.mark.slow
@pytest.mark.parametrize("one", all_dialects(), ids=lambda one: one.name)
def test_what_is_called_valid_is_and_what_is_not_is_not(one: Dialect) -> None:
    seen = verify(one).evidence.seen()
    assert len(seen) > 60
    for exchange in seen:
        asked, body = exchange.asked, exchange.exchange.request.body
        if asked["valid"]:
            text = body if exchange.exchange.request.header("transfer-encoding") is None else _unchunked(body)
            assert request_violations(one, asked["operation"], json.loads(text)) == [], asked["step"]
        elif asked["step"] not in KNOWN_GOOD_BODY and "-at-" not in asked["step"]:
            assert _is_wrong(one, asked["operation"], body), asked["step"]


def _is_wrong(one: Dialect, operation: str, body: bytes) -> bool:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return True
    return request_violations(one, operation, value) != []


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole
