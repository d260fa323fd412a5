"""Memory: what was said in a session is known in it, and nowhere else."""

from __future__ import annotations

from ..ask import Ask
from ..scenario import PATIENCE_S, Finish, Leave, Open, Scene, Script, Wait, scenario

BUSY = (409, 423, 429)
"""What a session may be refused with for as long as its last turn is not over."""
PART_OF_LIFE = 0.6
"""How long a session in use lies idle, of the time that it lives so: twice that is more than a life."""


@scenario("continue")
def continue_(scene: Scene) -> Script:
    """Say something in a new session, ask for it in the same one, and in another."""
    first = yield Ask("tell", message=scene.tell())
    session = scene.session_of(first)
    if session is not None:
        yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("elsewhere", message=scene.profile.recall.ask)


@scenario("continue-chosen")
def continue_chosen(scene: Scene) -> Script:
    """The same under an id that the client chose, with other turns in between."""
    session = yield from scene.begin()
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask("between-1", message=f"Say {scene.word()}.", session=session)
    yield Ask("between-2", message=f"Say {scene.word()}.", session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)


@scenario("continue-near")
def continue_near(scene: Scene) -> Script:
    """Ids that differ from one in use in their last letter, or in their case alone."""
    if not scene.chooses:
        return
    session = f"sess_{scene.word()}-{scene.word()}-{scene.word()}-a"
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("near-end", message=scene.profile.recall.ask, session=f"{session[:-1]}b")
    yield Ask("near-case", message=scene.profile.recall.ask, session=session.swapcase())


@scenario("continue-stream")
def continue_stream(scene: Scene) -> Script:
    """Say something in a stream under an id that the client chose; ask for it as JSON and as a stream."""
    if not scene.streams:
        return
    session = yield from scene.begin()
    yield Ask("tell", message=scene.tell(), stream=True, session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("ask-stream", message=scene.profile.recall.ask, stream=True, session=session)
    yield Ask("told-stream", message=scene.tell(), stream=True)
    yield Ask("elsewhere-stream", message=scene.profile.recall.ask, stream=True)


@scenario("continue-named")
def continue_named(scene: Scene) -> Script:
    """Say something in a stream that begins a session, and go on with the id that the stream named."""
    if not scene.stream_names_session:
        return
    first = yield Ask("tell", message=scene.tell(), stream=True)
    session = scene.session_of(first)
    if session is not None:
        yield Ask("ask", message=scene.profile.recall.ask, session=session)


@scenario("refused-turns")
def refused_turns(scene: Scene) -> Script:
    """A session in which something is told again by requests that are refused, each for another reason; then it is asked."""
    session = yield from scene.begin()
    if session is None:
        return
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask(
        "refused-unknown", message=scene.tell(), session=session, key=None, authorization=f"Bearer {scene.word()}"
    )
    yield Ask("refused-agent", message=scene.tell(), session=session, agent=scene.nobody())
    if "metadata" in scene.dialect.request.chat:
        yield Ask("refused-body", message=scene.tell(), session=session, set={"metadata": "web"}, valid=False)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)


@scenario("keys-apart", needs=("credentials.other_customer",))
def keys_apart(scene: Scene) -> Script:
    """Another customer asks under the same session id."""
    session = yield from scene.begin()
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    yield Ask("foreign", message=scene.profile.recall.ask, session=session, key="other_customer")
    yield Ask("foreign-stream", message=scene.profile.recall.ask, session=session, key="other_customer", stream=True)


@scenario("agents-apart", needs=("agents.other",))
def agents_apart(scene: Scene) -> Script:
    """Another agent is asked under the same session id; where keys belong to agents, with that agent's own key."""
    session = yield from scene.begin()
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    key = "other_agent" if scene.dialect.operation("keys") else "valid"
    if key in scene.profile.credentials:
        yield Ask("elsewhere", message=scene.profile.recall.ask, session=session, agent="other", key=key)


@scenario("together")
def together(scene: Scene) -> Script:
    """Two sessions whose turns overlap, one that is given a second turn before the first has ended, and one hung up on."""
    if not scene.streams:
        return
    one, two = (yield from scene.begin("begin-one")), (yield from scene.begin("begin-two"))
    first = yield Open(Ask("tell-one", message=scene.tell(), session=one, stream=True))
    second = yield Open(Ask("tell-two", message=scene.tell(), session=two, stream=True))
    yield Finish(second)
    yield Finish(first)
    yield Ask("ask-one", message=scene.profile.recall.ask, session=one)
    yield Ask("ask-two", message=scene.profile.recall.ask, session=two)
    held = yield Open(Ask("same-1", message=f"At the same time: {scene.word()}.", session=one, stream=True))
    yield Ask("same-2", message=f"At the same time: {scene.word()}.", session=one, patient=False)
    yield Finish(held)
    yield Ask("same-after", message=f"Say {scene.word()}.", session=one)
    yield from _hang_up(scene, "paced" if "paced" in scene.profile.agents else "default")


def _hang_up(scene: Scene, agent: str) -> Script:
    """Leave a session in mid-stream and ask in it again, each second while it is busy; if it stays so, ask in another one."""
    session = yield from scene.begin("begin-left", agent)
    if session is None:
        return
    left = yield Open(Ask("left", message=f"Say {scene.word()}.", agent=agent, session=session, stream=True))
    yield Leave(left)
    for second in range(PATIENCE_S + 1):
        ask = Ask(f"free-{second}", message=f"Say {scene.word()}.", agent=agent, session=session, patient=False)
        if (yield ask).status not in BUSY:
            return
        yield Wait(1)
    yield Ask("elsewhere", message=f"Say {scene.word()}.", agent=agent, patient=False)


@scenario("expiry", needs=("session_expiry_s",), last=True)
def expiry(scene: Scene) -> Script:
    """Use a session now and then for longer than the profile says that it lives idle, then let it lie so long, and ask."""
    session, lifetime = (yield from scene.begin()), scene.profile.session_expiry_s or 0
    yield Ask("tell", message=scene.tell(), session=session)
    yield Ask("ask", message=scene.profile.recall.ask, session=session)
    for number in (1, 2):
        yield Wait(PART_OF_LIFE * lifetime)
        yield Ask(f"ask-{number}", message=scene.profile.recall.ask, session=session)
    yield Wait(lifetime + 1)
    yield Ask("late", message=scene.profile.recall.ask, session=session)
