"""Agents that do something particular: call tools, break off, take their time; and keys made for one agent."""

from __future__ import annotations

from dataclasses import replace

from ..ask import Ask
from ..pace import bunched
from ..scenario import Scene, Script, scenario

TRIES = ("stream", "again-1", "again-2")
"""How often a paced stream is asked for before it is held to have come in bursts."""


@scenario("tools", needs=("agents.tools",))
def tools(scene: Scene) -> Script:
    """An agent that calls a tool."""
    yield Ask("json", agent="tools", message="Use your tool, please.")
    if scene.streams:
        yield Ask("stream", agent="tools", message="Use your tool, please.", stream=True)


@scenario("unicode", needs=("agents.unicode",))
def unicode(scene: Scene) -> Script:
    """An agent that answers beyond ASCII."""
    yield Ask("json", agent="unicode")
    if scene.streams:
        yield Ask("stream", agent="unicode", stream=True)


@scenario("long", needs=("agents.long",))
def long(scene: Scene) -> Script:
    """An agent whose replies are long."""
    yield Ask("json", agent="long")
    if scene.streams:
        yield Ask("stream", agent="long", stream=True)


@scenario("paced", needs=("agents.paced",), claim="paced")
def paced(scene: Scene) -> Script:
    """An agent whose pieces are at least 100 ms apart; asked again where they came in bursts, as a busy machine reads them."""
    for step in TRIES if scene.streams else ():
        seen = scene.see((yield Ask(step, agent="paced", stream=True, timed=True)))
        if not seen.is_stream or bunched(seen) is None:
            return


@scenario("failing", needs=("agents.failing",))
def failing(scene: Scene) -> Script:
    """An agent whose reply fails: an error before the reply, or an event in the middle of a stream."""
    yield Ask("good")
    yield Ask("json", agent="failing")
    if scene.streams:
        yield Ask("stream-good", stream=True)
        yield Ask("stream", agent="failing", stream=True)


@scenario("unavailable", needs=("agents.unavailable",))
def unavailable(scene: Scene) -> Script:
    """An agent that cannot be reached just now."""
    yield Ask("good")
    yield Ask("json", agent="unavailable")


@scenario("keys", needs=("credentials.account",))
def keys(scene: Scene) -> Script:
    """Make a key for an agent; use it there, at another agent, and to make a further one."""
    operation = scene.dialect.operation("keys")
    if operation is None:
        return
    name = f"chatproof {scene.word()}"
    made = yield Ask("create", message=name, operation=operation.id, key="account")
    yield Ask("create-again", message=name, operation=operation.id, key="account")
    yield Ask("create-nowhere", message=name, operation=operation.id, key="account", agent=scene.nobody())
    yield Ask("create-unknown", message=name, operation=operation.id, key=None, authorization=f"Bearer {scene.word()}")
    yield Ask("create-missing", message=name, operation=operation.id, key=None)
    key = scene.key_of(made)
    if key is not None:
        yield Ask("use", key=None, authorization=f"Bearer {key}")
        elsewhere = Ask("use-other", agent="other", key="other_agent", authorization=f"Bearer {key}")
        if "other" in scene.profile.agents:
            yield elsewhere
        yield replace(elsewhere, step="create-by-agent-key", agent="default", message=name, operation=operation.id)


@scenario("other-agent", needs=("credentials.other_agent",))
def other_agent(scene: Scene) -> Script:
    """A valid key of another agent."""
    yield Ask("good")
    yield Ask("other", key="other_agent")
