"""Memory: what was said in a session is known in it, and nowhere else."""

from __future__ import annotations

from ..ask import Ask
from ..scenario import Scene, Script, Wait, scenario


def _tell(scene: Scene) -> str:
    return scene.profile.recall.tell.format(nonce=scene.word())


@scenario("continue")
def continue_(scene: Scene) -> Script:
    """Say something in a new session, ask for it in the same one, and in another."""
    first = yield Ask("tell", message=_tell(scene))
    session = scene.session_of(first)
    if session is not None:
        yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("elsewhere", message=scene.profile.recall.ask)


@scenario("continue-chosen")
def continue_chosen(scene: Scene) -> Script:
    """The same under an id that the client chose, with other turns in between."""
    session = yield from scene.begin()
    yield Ask("tell", message=_tell(scene), session=session)
    yield Ask("between-1", message=f"Say {scene.word()}.", session=session)
    yield Ask("between-2", message=f"Say {scene.word()}.", session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)


@scenario("continue-stream")
def continue_stream(scene: Scene) -> Script:
    """Say something in a stream under an id that the client chose; ask for it as JSON and as a stream."""
    if not scene.streams:
        return
    session = yield from scene.begin()
    yield Ask("tell", message=_tell(scene), stream=True, session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("ask-stream", message=scene.profile.recall.ask, stream=True, session=session)


@scenario("continue-named")
def continue_named(scene: Scene) -> Script:
    """Say something in a stream that begins a session, and go on with the id that the stream named."""
    if not scene.stream_names_session:
        return
    first = yield Ask("tell", message=_tell(scene), stream=True)
    session = scene.session_of(first)
    if session is not None:
        yield Ask("ask", message=scene.profile.recall.ask, session=session)


@scenario("keys-apart", needs=("credentials.other_customer",))
def keys_apart(scene: Scene) -> Script:
    """Another customer asks under the same session id."""
    session = yield from scene.begin()
    yield Ask("tell", message=_tell(scene), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("foreign", message=scene.profile.recall.ask, session=session, key="other_customer")
    yield Ask("foreign-stream", message=scene.profile.recall.ask, session=session, key="other_customer", stream=True)


@scenario("expiry", needs=("session_expiry_s",), last=True)
def expiry(scene: Scene) -> Script:
    """Let a session lie idle for longer than the profile says it lives, then ask."""
    session, lifetime = (yield from scene.begin()), scene.profile.session_expiry_s or 0
    yield Ask("tell", message=_tell(scene), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Wait(lifetime + 1)
    yield Ask("late", message=scene.profile.recall.ask, session=session)
