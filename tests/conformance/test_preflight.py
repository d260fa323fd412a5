"""What is said before anything is judged: one sentence, with the flag or key to look at."""

from __future__ import annotations

import pytest

from chatproof.conformance.exchange import End
from chatproof.conformance.preflight import explain

from .recorded import response, see

HALF = response(200, b"").replace(b"Length: 0", b"Length: 9")


@pytest.mark.parametrize(
    ("raw", "end", "words"),
    [
        (response(body={"response": "x"}), End.COMPLETE, None),
        (response(500), End.COMPLETE, None),
        (response(503, b"<p>x"), End.COMPLETE, None),
        (b"", End.REFUSED, "nothing listens at http://127.0.0.1:1"),
        (b"", End.UNREACHABLE, "cannot be reached"),
        (b"", End.TLS, "has no TLS that can be trusted"),
        (b"", End.CONNECT_TIMEOUT, "did not accept a connection within 5 s"),
        (b"", End.FIRST_BYTE_TIMEOUT, "sent nothing within 30 s"),
        (b"", End.RESET, "reset the connection before it sent a response"),
        (b"", End.CLOSED, "closed the connection before it sent a response"),
        (b"", End.LEFT, "gave no response"),
        (b"HTTP/1.1 OK\r\n\r\n", End.BROKEN, "a broken status line: b'HTTP/1.1 OK"),
        (b"220 smtp.example.com ESMTP\r\n", End.CLOSED, "something that is not HTTP: b'220 smtp"),
        pytest.param(HALF, End.IDLE_TIMEOUT, "fell silent for 30 s"),
        (response(200, b"\n <!DOCTYPE html><p>", "text/html"), End.COMPLETE, "web page (status 200)"),
        (response(404, b"<html>x", "text/html"), End.COMPLETE, "is this the base URL of the API?"),
        (response(401, {"detail": "No key"}), End.COMPLETE, 'credentials.valid. It said: {"detail": "No key"}'),
        (response(403), End.COMPLETE, "the key was refused (status 403)"),
        (response(402), End.COMPLETE, "has no balance"),
        (response(404), End.COMPLETE, "does the agent 'agent_1' exist?"),
        (response(405), End.COMPLETE, "is it the dialect 'guide'"),
        (response(422), End.COMPLETE, "is it another dialect?"),
        (response(429), End.COMPLETE, "over its limit already"),
        (response(308, headers=[("Location", "https://x/")]), End.COMPLETE, "redirects to https://x/"),
    ],
)
def test_one_sentence(raw: bytes, end: End, words: str | None) -> None:
    said = explain(see(raw, end=end))
    assert said is None if words is None else words in (said or "")
    assert "--" not in (said or ""), "the command line and the plugin have flags of different names"


def test_a_long_answer_is_cut_and_bad_bytes_do_no_harm() -> None:
    said = explain(see(response(401, b"\xff" + b"x" * 5000, "text/plain")))
    assert said is not None
    assert len(said) < 400
