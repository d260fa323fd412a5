"""Connections: which are kept, and whose matter it is when they are not."""

from __future__ import annotations

import pytest

from chatproof.conformance.check import Finding, Note, Unverified
from chatproof.conformance.exchange import End

from .recorded import of, over, response, see

KEPT, CLOSING = (response(body={"response": "x"}, headers=headers) for headers in ([], [("Connection", "close")]))
GONE = b""


@pytest.mark.parametrize(
    ("json", "stream", "wanted"),
    [
        ((KEPT, KEPT), (KEPT, KEPT), []),
        ((KEPT, KEPT), (CLOSING,), []),
        ((CLOSING,), (KEPT, KEPT), []),
        ((CLOSING,), (CLOSING,), [Unverified]),
        ((CLOSING,), (), [Unverified]),
        ((KEPT, GONE), (KEPT, KEPT), [Finding]),
        ((KEPT, KEPT), (KEPT, GONE), [Finding]),
        ((KEPT, GONE), (KEPT, GONE), [Finding]),
        ((KEPT, response(400, {})), (), [Finding]),
    ],
)
def test_a_connection_is_kept_after_json_and_after_a_stream(
    json: tuple[bytes, ...], stream: tuple[bytes, ...], wanted: list[type[Note]]
) -> None:
    """A close that nobody announced is one finding, however often it happens, and of no other requirement."""
    steps = [
        see(raw, step=f"kept-{kind}-{number}", end=End.COMPLETE if raw else End.CLOSED)
        for kind, raws in (("json", json), ("stream", stream))
        for number, raw in enumerate(raws, 1)
    ]
    assert [type(note) for note in of("http.keep_alive", *steps)] == wanted
    assert [note for seen in steps for note in over("http.answers", seen)] == []
