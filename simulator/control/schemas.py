"""The bodies and parameters that the control API takes, as JSON Schemas; nothing else is taken."""

from __future__ import annotations

from typing import Any

from ..match import WORDS
from ..rulings import RULINGS
from ..scopes import RESETS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WORD: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FROM_ONE: Schema = {"type": "integer", "minimum": 1}


def body(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object of these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **({"required": list(required)} if required else {}),
    }


HEADERS: Schema = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
MATCHED: dict[str, Schema] = {
    **{word: TEXT for word in WORDS if word != "scope"},
    "headers": HEADERS,
    "status": {"type": ["integer", "string"]},
    "streamed": {"type": "boolean"},
    "unmatched": {"type": "boolean"},
    "since": COUNT,
    "session": {"type": ["string", "null"]},
}
MATCH: Schema = {
    "type": "object",
    "description": "Requests that are as told in every word; null is no session, and any value of a header",
    "properties": MATCHED,
    "additionalProperties": False,
}
REPLIES: Schema = {"type": "array", "items": TEXT, "minItems": 1}
PACE: Schema = {"type": ["string", "object"]}
AGENT = body(
    ("name", "replies"),
    name=WORD,
    replies={**REPLIES, "description": "One a turn; the last is repeated"},
    latency={**PACE, "description": "How long its answers take, as first=300ms gap=uniform(10ms, 30ms), or a mapping"},
    chunk={**PACE, "description": "How a stream cuts its texts, as character, words(1, 4) or {bytes: 7}"},
)
KEY = body(
    name=WORD,
    agent=WORD,
    plan={
        **WORD,
        "description": "Free, Pro or Enterprise, by each dialect's own figures; limits given beside it go first",
    },
    requests_per_minute=FROM_ONE,
    requests_per_day=FROM_ONE,
    concurrent=FROM_ONE,
    balance=COUNT,
)
TOP_UP = body(("key", "units"), key=WORD, units={"type": "integer", "description": "How many more, from 1"})
RENEW = body(("key",), key=WORD)
EXPIRE = body(session=WORD, agent=WORD, key=WORD, dialect=WORD)
MOMENT: Schema = {
    "type": ["number", "string"],
    "description": "Seconds from now on the backend's clock, or a time of day as 17:30, in UTC",
}
FAULT = body(
    ("fault",),
    fault={**WORD, "description": "One of GET /catalogue, perhaps with words: http-429;in=body;times=2"},
    parameters={"type": "object", "description": "Of the fault, by name, as in the catalogue"},
    after={**COUNT, "description": "For a fault that cuts a stream: behind that many events"},
    times=FROM_ONE,
    nth=FROM_ONE,
    turn={**FROM_ONE, "description": "Only the one of that number in its session"},
    begins=MOMENT,
    ends=MOMENT,
    probability={"type": "number", "minimum": 0, "maximum": 1},
    key=WORD,
    agent=WORD,
    session=WORD,
    dialect=WORD,
    operation=WORD,
    contains=WORD,
    headers=HEADERS,
)
CLOCK = body(
    advance={"type": "number", "minimum": 0, "maximum": 1e9, "description": "Seconds"},
    set={
        "type": ["number", "string"],
        "description": "A time not before the present one: seconds since the epoch, or RFC 3339",
    },
    mode={"type": "string", "description": "real, frozen or xN; it goes on from the time that it shows"},
)
JUMP = body(("session", "turn"), session=WORD, turn=WORD, agent=WORD, key=WORD, dialect=WORD)
SCRIPT: Schema = {"type": "string", "description": "A script, as chatproof check takes it: YAML or JSON"}
SEED = body(seed={"type": "integer", "description": "The one there is, if left out"})
VERIFY = body(
    match=MATCH,
    exactly=COUNT,
    at_least=COUNT,
    at_most=COUNT,
    order={"type": "array", "items": MATCH, "minItems": 1},
)
RULED: Schema = {
    "type": "object",
    "description": f"Question ({min(RULINGS)} to {max(RULINGS)}) -> the name of a reading; null to go back to that of the start",
    "additionalProperties": {"type": ["string", "integer", "null"]},
}
RESET = body(what={"type": "array", "items": {"type": "string", "enum": list(RESETS)}, "minItems": 1})
SCOPE = body(("name",), name={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})

SCOPED = ("scope",)
FOUND = (*SCOPED, *(word for word in WORDS if word not in ("headers", "scope")))
DRY = (*SCOPED, "dry_run")
UNMATCHED = (*SCOPED, "limit")
SHOWN = (*FOUND, "limit", "wire", "format")
