"""The control API as one table: what can be asked, with which body, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import course, inhabitants, plays, rulings, schemas
from .schemas import DRY, FOUND, SCOPED, SHOWN, UNMATCHED, Schema
from .world import Call


@dataclass(frozen=True)
class Operation:
    """``query``: the parameters it takes. ``body``: the schema of its body, ``None`` if it has none; ``optional``: it may be left out;
    ``text``: it is text of any media type, read by whoever handles it. ``prepare``: what takes long and changes nothing, done in another
    thread before ``handle``, so that streams go on meanwhile.
    """

    method: str
    path: str
    says: str
    handle: Callable[[Call], Any]
    query: tuple[str, ...] = SCOPED
    body: Schema | None = None
    optional: bool = False
    text: bool = False
    prepare: Callable[[Call], Any] | None = None


OPERATIONS = (
    Operation("GET", "/health", "Whether it runs, where, since when and under which clock and seed", course.health),
    Operation("GET", "/metrics", "Counters and gauges for Prometheus", course.metrics, ()),
    Operation("GET", "/agents", "The agents that there are", inhabitants.agents),
    Operation("POST", "/agents", "Let an agent exist that says fixed replies", inhabitants.add_agent, body=schemas.AGENT),
    Operation("DELETE", "/agents/{name}", "Take an agent away that was added", inhabitants.remove_agent),
    Operation("GET", "/keys", "The keys, masked, and what is left of their plans", inhabitants.keys),
    Operation("POST", "/keys", "Let a key exist; answers its text", inhabitants.add_key, body=schemas.KEY),
    Operation("POST", "/keys/top-up", "Add units to a key's balance", inhabitants.top_up, body=schemas.TOP_UP),
    Operation("POST", "/keys/reset", "Nothing of a key's plan and balance is used", inhabitants.renew, body=schemas.RENEW),
    Operation("GET", "/plans", "The plans that the documents and the script have", plays.plans),
    Operation("GET", "/script", "The script that is played, its keys masked", plays.script),
    Operation("PUT", "/script", "Play that script from now on, if it has no mistakes; dry_run only checks it", plays.put_script, DRY, schemas.SCRIPT, text=True, prepare=plays.checked),
    Operation("GET", "/sessions", "The living sessions, the longest unused first", inhabitants.sessions),
    Operation("GET", "/sessions/{id}", "The living sessions of that id: what was said, and where they stand in their script", plays.session),
    Operation("POST", "/sessions/jump", "Let a session go on at a turn of its script", plays.jump, body=schemas.JUMP),
    Operation("POST", "/sessions/expire", "Let sessions expire: those as told, or all", inhabitants.expire, body=schemas.EXPIRE, optional=True),
    Operation("GET", "/faults", "The faults in force, and how often each has fired", course.faults),
    Operation("POST", "/faults", "Put a fault in force; all that is told of its aim must hold", course.add_fault, body=schemas.FAULT),
    Operation("DELETE", "/faults", "Take all faults out of force", course.remove_faults),
    Operation("DELETE", "/faults/{id}", "Take a fault out of force", course.remove_fault),
    Operation("GET", "/catalogue", "The faults that there are", course.known_faults, ()),
    Operation("GET", "/clock", "What time it is", course.clock),
    Operation("POST", "/clock", "Move the clock forward, or let it run in another mode", course.advance, body=schemas.CLOCK),
    Operation("GET", "/rulings", "The open questions, their readings, and which are in force", rulings.rulings),
    Operation("POST", "/rulings", "Follow these readings from now on", rulings.rule, body=schemas.RULED),
    Operation("GET", "/seed", "The seed", course.seed),
    Operation("POST", "/seed", "Begin all draws of ids and chances again, under that seed", course.reseed, body=schemas.SEED, optional=True),
    Operation("GET", "/journal", "The newest requests that match, oldest first", course.journal, SHOWN),
    Operation("DELETE", "/journal", "Forget the requests that match", course.forget, FOUND),
    Operation("GET", "/journal/{number}", "One request, with the bytes of its answer", course.one_request, ()),
    Operation("GET", "/journal/{number}/explain", "Which rule of a script answered, and why the others did not", course.explain, ()),
    Operation("GET", "/unmatched", "The requests that no rule fits, each with why, the nearest rule first", course.unmatched, UNMATCHED),
    Operation("POST", "/verify", "Whether so many requests match, and in this order", course.verify, body=schemas.VERIFY),
    Operation("POST", "/reset", "Put back to how it was at the start: what is named, or everything", course.reset, body=schemas.RESET, optional=True),
    Operation("GET", "/scopes", "The scopes that are open, with their URLs and keys", inhabitants.scopes, ()),
    Operation("POST", "/scopes", "Open a scope: a world of its own", inhabitants.open_scope, (), schemas.SCOPE),
    Operation("DELETE", "/scopes/{name}", "Close a scope, and forget its requests", inhabitants.close_scope, ()),
)  # fmt: skip
