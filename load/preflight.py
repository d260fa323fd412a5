"""Before the load: two ordinary turns, to see that the target answers, how it streams, and what canary words can prove there.

An agent that repeats the whole message is one that echoes; a word of it in the answer may be a whim of a live model, and nothing to hold
all its other answers to.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ..conformance.ask import Via
from ..conformance.preflight import explain
from ..conformance.profile import Profile
from ..conformance.seen import Seen
from ..spec import Dialect
from .canary import word
from .line import Line
from .maker import Maker
from .prompts import NONCE, Proof
from .turn import Turn, take

CONVERSATION = 99_999_999
"""The conversation of the preflight: no run counts so far."""


class NotReady(Exception):
    """The target cannot be loaded as asked; ``str()`` is one sentence for people. Exit code 3."""


@dataclass(frozen=True)
class Ready:
    """``via``: how a stream is asked for. ``proof``: what words prove. ``own_sessions``: we have to name the sessions.

    ``continues``: a conversation can have more than one turn. ``turns``: those that were sent, for the account.
    """

    via: Via
    proof: Proof
    own_sessions: bool
    continues: bool
    turns: tuple[Turn, ...]


def preflight(profile: Profile, dialect: Dialect, *, stream: bool, seed: int, insecure: bool = False) -> Ready:
    """Tell the agent a word and ask for it; ``NotReady`` where the first answer is none."""
    line = Line(profile, insecure=insecure)
    try:
        return _look(line, profile, dialect, stream, seed)
    finally:
        line.close()


def unanswered(profile: Profile, dialect: Dialect, *, stream: bool, via: Via, insecure: bool = False) -> str:
    """Why an ordinary turn is not answered well, looked at now; nothing if it is."""
    line = Line(profile, insecure=insecure)
    try:
        turn = _turn(line, Maker(dialect, profile, stream, via), 0, "Hello", None)
    finally:
        line.close()
    return "" if turn.outcome == "ok" else f"{turn.outcome.replace('_', ' ')}: {turn.why}"


def _look(line: Line, profile: Profile, dialect: Dialect, stream: bool, seed: int) -> Ready:
    own = word(seed, CONVERSATION)
    tell = profile.recall.tell.replace(NONCE, own)
    names_none = stream and not any("session" in row.shape.roles for row in dialect.stream if row.event == "done")
    session = f"load_{time.time_ns():x}" if names_none else None
    turns: list[Turn] = []
    ways: tuple[Via, ...] = ("body", "accept") if stream and dialect.request.switch.accept else ("body",)
    for via in ways:
        maker = Maker(dialect, profile, stream, via)
        turns.append(_turn(line, maker, seed, tell, session))
        if session is not None and turns[-1].outcome == "http_error":
            session = None
            turns.append(_turn(line, maker, seed, tell, None))
        if turns[-1].seen.streamed is stream:
            break
    first = turns[-1]
    _refuse(first, maker, dialect, profile)
    known = first.seen.session or session
    recalls = False
    if known is not None:
        turns.append(_turn(line, maker, seed, profile.recall.ask.replace(NONCE, own), known))
        recalls = own in turns[-1].seen.text and NONCE not in profile.recall.ask
    recalls = recalls or profile.recall.given
    echoes = tell in first.seen.text
    proof: Proof = ("both" if recalls else "echo") if echoes else ("recall" if recalls else "watch")
    return Ready(via, proof, session is not None, known is not None, tuple(turns))


def _refuse(first: Turn, maker: Maker, dialect: Dialect, profile: Profile) -> None:
    """Whatever keeps an ordinary turn from being answered is said now, and not a thousand times."""
    told = Seen(replace(first.heard.exchange(maker.base), asked={**maker.asked}), dialect, profile)
    if problem := explain(told):
        raise NotReady(problem)
    status = first.seen.status
    if status is not None and status >= 400:
        said = told.exchange.content[:200].decode("utf-8", "replace").strip()
        raise NotReady(f"an ordinary turn was answered with {first.why}: {said}")
    if first.seen.whole and first.seen.streamed is not maker.stream:
        hint = "try --json-replies" if maker.stream else "try without --json-replies"
        raise NotReady(f"{first.why}: {hint}")


def _turn(line: Line, maker: Maker, seed: int, message: str, session: str | None) -> Turn:
    return take(line, maker, -1, CONVERSATION, 0, message, session, time.monotonic_ns(), seed, False)
