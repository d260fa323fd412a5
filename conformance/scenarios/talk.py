"""Ordinary requests that must succeed: replies, streams, metadata, other documented forms."""

from __future__ import annotations

from ..ask import Ask
from ..scenario import Scene, Script, scenario

MARK = "chatproof-hostile"
INJECTED = f'{{"type": "{MARK}"}}'
HOSTILE = (
    f"one\n\ndata: {INJECTED}\n\nevent: {MARK}\rid: {MARK}\r\n: remark\ndata: {INJECTED}\n\n"
    "two \u0085 \u2028 \u2029 \ufeff three \u00e9 \u4f60 \U0001f30d"
)
"""Text that opens a new event if a server pastes it into a stream unescaped, and that line-based clients trip over."""

LETTERS = "\u00e9\u4f60\U0001f30d" * 12
"""Characters of two, three and four bytes without a space: whoever cuts bytes instead of text spoils one of them."""

CHARACTERS = '\u00e9 \u4f60 \U0001f30d e\u0301 \ufb01 \uff21 <b>&amp; "it\'s" 100% \\n {x} $y'
"""What careless servers escape for HTML, interpolate, or replace by a character that looks the same."""


@scenario("reply")
def reply(scene: Scene) -> Script:
    """JSON replies: a new session, one the client chose, and text that is hard to carry."""
    first = yield Ask("new", message=f"Say {scene.word()}.")
    yield Ask("second", message=f"Say {scene.word()}.")
    yield Ask("chosen", session=scene.session())
    known = scene.session_of(first)
    yield Ask("known", session=known)
    yield Ask("all-fields", session=known, set=scene.metadata())
    if "session" in scene.dialect.request.nullable:
        yield Ask("null", set={"session": None})
    yield Ask("hostile", message=HOSTILE)
    yield Ask("origin", headers=(("Origin", "https://store.example.com"),))
    for operation in scene.dialect.operations:
        for number, path in enumerate(operation.aliases, 1):
            yield Ask(f"alias-{number}", path=path.replace("{agent}", scene.profile.agents["default"]))


@scenario("stream")
def stream(scene: Scene) -> Script:
    """Streams of the same three kinds."""
    if scene.streams:
        yield Ask("new", stream=True)
        session = yield from scene.begin()
        yield Ask("known", stream=True, session=session)
        yield Ask("all-fields", stream=True, session=session, set=scene.metadata())
        yield Ask("hostile", stream=True, message=HOSTILE)


@scenario("same", claim="deterministic")
def same(scene: Scene) -> Script:
    """The same message asked twice, each in a new session: as JSON and as a stream; plain, beyond ASCII, and of other agents."""
    message = f"Tell me about {scene.word()} in a few words."
    yield Ask("json", message=message)
    yield Ask("letters-json", message=f"{LETTERS} {CHARACTERS}\n\nand a new line")
    if scene.streams:
        yield Ask("stream", message=message, stream=True)
        yield Ask("letters-stream", message=f"{LETTERS} {CHARACTERS}\n\nand a new line", stream=True)
        for agent in ("unicode", "long"):
            if agent in scene.profile.agents:
                yield Ask(f"{agent}-json", agent=agent)
                yield Ask(f"{agent}-stream", agent=agent, stream=True)


@scenario("metadata")
def metadata(scene: Scene) -> Script:
    """Additional context for the agent, where the dialect has a place for it."""
    if "metadata" in scene.dialect.request.chat:
        session = yield from scene.begin()
        yield Ask("first", session=session, set=scene.metadata())
        yield Ask("again", session=session, set=scene.metadata())
        if "metadata" in scene.dialect.request.nullable:
            yield Ask("null", set={"metadata": None})


@scenario("writings")
def writings(scene: Scene) -> Script:
    """One request written in other ways that mean the same in JSON and HTTP."""
    message = f"Say {scene.word()}: {CHARACTERS}"
    yield Ask("good", message=message)
    yield Ask("raw", message=message, written="raw")
    yield Ask("spaced", message=message, written="spaced")
    yield Ask("reordered", message=message, written="reordered")
    yield Ask("media-type", message=message, headers=(("Content-Type", "Application/JSON; charset=utf-8"),))
    credential = f"Bearer {scene.profile.credentials['valid']}"
    yield Ask("header-case", message=message, key=None, headers=(("authorization", credential),))
    yield Ask("scheme-case", message=message, key=None, authorization=credential.replace("Bearer", "bearer"))


@scenario("forms")
def forms(scene: Scene) -> Script:
    """The request written at the other places that the documents print for the same roles (AMB-02)."""
    for role, pointers in scene.dialect.request.chat.items():
        for pointer in pointers[1:]:
            yield Ask(f"{role}-at-{pointer.strip('/')}", at={role: pointer}, valid=False)
