"""Requests that must be refused. Each scenario begins with the identical good request: only then a refusal proves anything."""

from __future__ import annotations

from ..ask import Ask
from ..scenario import Scene, Script, scenario

ODD_SESSIONS = {"session-long": "s" * 5_000, "session-odd": "\U0001f469\0"}
"""Step -> an id that nobody expects of a client, and that need not be kept."""


@scenario("auth")
def auth(scene: Scene) -> Script:
    """No credential, an empty one, an unknown one, some that are almost the valid one, another scheme; as JSON and asking for a stream."""
    yield Ask("good")
    yield Ask("missing", key=None)
    yield Ask("empty", key=None, authorization="Bearer ")
    yield Ask("unknown", key=None, authorization=f"Bearer {scene.word()}-{scene.word()}")
    valid = scene.profile.credentials["valid"]
    for name, near in (("longer", f"{valid}x"), ("shorter", valid[:-1]), ("other-case", valid.swapcase())):
        if near not in scene.profile.credentials.values():
            yield Ask(f"unknown-{name}", key=None, authorization=f"Bearer {near}")
    yield Ask("scheme", key=None, authorization=f"Basic {valid}")
    yield Ask("scheme-token", key=None, authorization=f"Token {valid}")
    yield Ask("scheme-none", key=None, authorization=valid)
    if scene.streams:
        yield Ask("stream-good", stream=True)
        yield Ask("stream-missing", key=None, stream=True)
        yield Ask("stream-unknown", key=None, authorization=f"Bearer {scene.word()}", stream=True)
        yield Ask("stream-scheme", key=None, authorization=f"Basic {valid}", stream=True)


@scenario("revoked", needs=("credentials.revoked",))
def revoked(scene: Scene) -> Script:
    """A key that was valid once."""
    yield Ask("good")
    yield Ask("revoked", key="revoked")
    if scene.streams:
        yield Ask("stream-revoked", key="revoked", stream=True)


@scenario("invalid")
def invalid(scene: Scene) -> Script:
    """Bodies that lack something required, hold a wrong type, or are no JSON object."""
    roles = scene.dialect.request
    yield Ask("good")
    for role in roles.required:
        if role in roles.chat:
            yield Ask(f"missing-{role}", omit=(role,), valid=False)
            yield Ask(f"null-{role}", set={role: None}, valid=False)
            yield Ask(f"number-{role}", set={role: 7}, valid=False)
    yield Ask("session-number", set={"session": 7}, valid=False)
    if "stream" in roles.chat and not roles.switch.ruling:
        yield Ask("stream-text", set={"stream": "perhaps"}, valid=False)
    if "metadata" in roles.chat:
        yield Ask("metadata-text", set={"metadata": "web"}, valid=False)
    yield Ask("malformed", body=b'{"message": "Hello', valid=False)
    yield Ask("array", body=b"[]", valid=False)
    yield Ask("empty-body", body=b"", valid=False)
    if scene.streams:
        for role in (role for role in roles.required if role in roles.chat):
            yield Ask(f"stream-missing-{role}", omit=(role,), stream=True, valid=False)


@scenario("odd")
def odd(scene: Scene) -> Script:
    """Input that may be taken or refused (AMB-20), but must not break a server."""
    yield Ask("good")
    yield Ask("empty-message", message="")
    yield Ask("long-message", message="long " * 20_000)
    yield Ask("nul", message="a\0b")
    yield Ask("emoji", message="\U0001f469\u200d\U0001f680 \u202e \u00e9\u0301")
    yield Ask("surrogate", message="\ud83d", valid=False)
    yield Ask("deep", body=b'{"message": ' + b"[" * 2_000 + b"]" * 2_000 + b"}", valid=False)
    yield Ask("huge", extra={"padding": "x" * 3_000_000}, valid=False)
    yield Ask("unknown-field", extra={"chatproof_unknown": [1, None]})
    yield Ask("session-empty", session="")
    for step, session in ODD_SESSIONS.items():
        yield Ask(step, set={"session": session})
    if scene.streams:
        yield Ask("long-message-streamed", message="long" * 2_000, stream=True)
        yield Ask("nul-streamed", message="a\0b", stream=True)
    yield Ask("content-type", headers=(("Content-Type", "text/plain"),), valid=False)


@scenario("agent")
def agent(scene: Scene) -> Script:
    """An agent that does not exist."""
    missing = scene.nobody()
    yield Ask("good")
    yield Ask("unknown", agent=missing)
    if scene.streams:
        yield Ask("stream-unknown", agent=missing, stream=True)


@scenario("balance", needs=("credentials.broke",))
def balance(scene: Scene) -> Script:
    """A key whose balance is spent."""
    yield Ask("good")
    yield Ask("broke", key="broke", patient=False)
    if scene.streams:
        yield Ask("stream-broke", key="broke", stream=True, patient=False)


@scenario("connections")
def connections(scene: Scene) -> Script:
    """The same good request in other ways of HTTP: an older version, no Host, a body in chunks or held back, two on one connection.

    The first of two on one connection is answered once by JSON and once by a stream: servers end them in different ways.
    """
    yield Ask("good")
    first = yield Ask("kept-json-1", keep=True)
    if scene.kept(first):
        yield Ask("kept-json-2", keep=True)
    yield Ask("http-1-0", version="1.0")
    yield Ask("no-host", without=("Host",), valid=False)
    yield Ask("chunked", chunked=True)
    yield Ask("expect", headers=(("Expect", "100-continue"),))
    yield Ask("close", watch=True)
    if scene.streams:
        first = yield Ask("kept-stream-1", keep=True, stream=True)
        if scene.kept(first):
            yield Ask("kept-stream-2", keep=True)


@scenario("http")
def http(scene: Scene) -> Script:
    """Other methods, and a path that is nowhere."""
    yield Ask("good")
    yield Ask("get", method="GET", body=b"", valid=False)
    yield Ask("head", method="HEAD", body=b"", valid=False)
    yield Ask("nowhere", path=f"/chatproof-{scene.word()}", valid=False)
