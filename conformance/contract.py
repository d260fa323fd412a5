"""Bodies that schemathesis derives from our OpenAPI document: valid ones to be taken, invalid ones to be refused. Sends nothing.

The only file that imports schemathesis and hypothesis, and only when bodies are asked for: they are an optional extra. What
they generate is plain data, the same for the same seed, and goes to the target as any other request of a scenario does.

Schemathesis answers two questions: what may a body look like, and how can it be wrong. What a body is worth as evidence is
decided here: a valid one is never odd (AMB-20), an invalid one is wrong by more than a lenient reader forgives.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from jsonpointer import JsonPointer

from ..spec import Dialect, openapi
from .reading import MISSING, at
from .schema import request_violations

Mode = Literal["positive", "negative"]
Body = Any
"""A JSON value; or ``bytes``, to be sent as they are."""

ROUNDS = 8
"""After so many draws it is believed that the schema has no more bodies."""
MOST_BYTES = 2_000
MOST_EXACT = 2**53 - 1
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
PLAIN_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
BOOLEAN_WORDS = frozenset({"0", "1", "true", "false", "yes", "no", "on", "off", "y", "n", "t", "f"})
"""What lenient readers take for a boolean."""
PINNED = ("agent", "session", "stream")
"""Roles whose valid values are not for chance to choose: only a known agent, say, can answer."""
RULING = "x-chatproof-ruling"


class NotInstalled(ImportError):
    """Schemathesis or hypothesis is missing; ``chatproof[verify]`` brings both."""


_KNOWN: dict[tuple[str, str, str, Mode, int, int], tuple[Body, ...]] = {}


def cases(dialect: Dialect, operation_id: str, mode: Mode, count: int, seed: int) -> list[Body]:
    """``count`` different bodies for that operation, the same for the same arguments; fewer only where no more exist.

    Pinned roles stand in them with a placeholder (``settle`` puts the real value there); a valid ``stream`` is left out.
    ``NotInstalled`` without the extra.
    """
    key = (str(dialect.folder), dialect.name, operation_id, mode, count, seed)
    if key not in _KNOWN:
        _KNOWN[key] = tuple(_cases(dialect, operation_id, mode, count, seed))
    return deepcopy(list(_KNOWN[key]))


def settle(body: Body, dialect: Dialect, values: Mapping[str, Any]) -> Body:
    """``body`` with its valid agent, session and stream switch replaced by ``values``, or without those that are not there.

    What is wrong in its place stays as it is: it may be the point of the body. A stream switch is put in where none was.
    """
    body = deepcopy(body)
    for role in PINNED:
        for pointer in dialect.request.chat.get(role, ())[:1]:
            there = at(body, (pointer,))
            if isinstance(there, bool if role == "stream" else str) or (role == "stream" and there is MISSING):
                _put(body, pointer, values.get(role, MISSING))
    return body


def _cases(dialect: Dialect, operation_id: str, mode: Mode, count: int, seed: int) -> Iterator[Body]:
    schema = openapi.request_schema(openapi.document(dialect), operation_id)
    if schema is None:
        return
    wanted = _valid if mode == "positive" else _invalid
    generate = _generator(_for_generation(schema, mode, dialect), mode)
    found: dict[str, Body] = {}
    dice = random.Random(f"{seed}/{operation_id}/{mode}")
    for _ in range(ROUNDS):
        for body in generate(2 * count, dice.getrandbits(64)):
            body = settle(body, dialect, {"agent": "agent", "session": "session"})
            if wanted(body, dialect, operation_id):
                found.setdefault(repr(body), body)
        if len(found) >= count:
            break
    yield from _varied(list(found.values()), dialect, operation_id)[:count]


def _valid(body: Body, dialect: Dialect, operation_id: str) -> bool:
    """Whether a server has no excuse to refuse the body: it is valid, and not odd (AMB-20, RFC 7493 2)."""
    message = at(body, dialect.request.chat["message"])
    return (
        isinstance(message, str)
        and bool(message.strip())
        and not any(map(_odd, _leaves(body)))
        and len(json.dumps(body)) <= MOST_BYTES
        and not request_violations(dialect, operation_id, body)
    )


def _invalid(body: Body, dialect: Dialect, operation_id: str) -> bool:
    """Whether a server has no excuse to take the body: it is none of JSON, or wrong even as a lenient reader reads it."""
    if isinstance(body, bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return len(b"" if isinstance(body, str) else body) <= MOST_BYTES
    try:
        text = json.dumps(body, allow_nan=False)
    except ValueError:
        return False
    others = [pointer for pointers in dialect.request.chat.values() for pointer in pointers[1:]]
    if len(text) > MOST_BYTES or at(body, tuple(others)) is not MISSING:
        return False
    return bool(request_violations(dialect, operation_id, _forgiven(body, dialect)))


def _forgiven(body: Body, dialect: Dialect) -> Body:
    """The body as a lenient reader takes it: an optional ``null`` is nothing, and ``"yes"`` or 1 is a boolean."""
    body = deepcopy(body)
    for role, pointers in dialect.request.chat.items():
        there = at(body, pointers[:1])
        forgiven = there is None and role not in dialect.request.required
        if role == "stream" and there is not MISSING:
            forgiven = bool(dialect.request.switch.ruling) or str(there).lower().removesuffix(".0") in BOOLEAN_WORDS
        if forgiven:
            _put(body, pointers[0], MISSING)
    return body


def _odd(leaf: Any) -> bool:
    """Whether a value is none that every reader can be expected to take: no control characters, and I-JSON (RFC 7493 2)."""
    if isinstance(leaf, str):
        strange = any(0xD800 <= ord(c) <= 0xDFFF or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE for c in leaf)
        return strange or CONTROLS.search(leaf) is not None
    if isinstance(leaf, float):
        return leaf.is_integer() and abs(leaf) > MOST_EXACT or abs(leaf) == float("inf") or leaf != leaf
    return isinstance(leaf, int) and abs(leaf) > MOST_EXACT


def _leaves(value: Any) -> Iterator[Any]:
    """Every value in it that holds no others, and every name."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _varied(bodies: list[Body], dialect: Dialect, operation_id: str) -> list[Body]:
    """The same bodies: first one of each kind, then a second of each, and so on. A few requests should show a lot."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Body]] = []
    for number, body in enumerate(bodies):
        kind = _kind(body, dialect, operation_id)
        ranked.append((seen[kind], number, body))
        seen[kind] += 1
    return [body for _, _, body in sorted(ranked, key=lambda row: row[:2])]


def _kind(body: Body, dialect: Dialect, operation_id: str) -> str:
    """What is wrong with a body, or what a valid one holds."""
    if isinstance(body, bytes):
        return "bytes"
    wrong = request_violations(dialect, operation_id, body)
    places = (text if text.endswith("required property") else text.partition(": ")[0] for text in wrong)
    return " ".join(sorted(places)) or " ".join(sorted(body))


def _put(body: Body, pointer: str, value: Any) -> None:
    """Set the place in a JSON value, or remove it for ``MISSING``; nothing happens where there is no such place."""
    *parents, last = JsonPointer(pointer).parts
    for parent in parents:
        body = body.get(parent) if isinstance(body, dict) else None
    if isinstance(body, dict):
        if value is MISSING:
            body.pop(last, None)
        else:
            body[last] = value


def _for_generation(schema: dict[str, Any], mode: Mode, dialect: Dialect) -> dict[str, Any]:
    """The request's schema without what rests on a ruling; for valid bodies also without undocumented or odd members."""

    def change(node: Any) -> Any:
        if isinstance(node, list):
            return [change(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = {name: change(item) for name, item in node.items() if name not in ("$schema", "description")}
        if isinstance(node.get("properties"), dict):
            properties = node["properties"]
            node["properties"] = {
                name: item for name, item in properties.items() if not isinstance(item, dict) or RULING not in item
            }
            node.setdefault("additionalProperties", False)
        if mode == "positive" and node.get("type") == "string" and not node.keys() & {"enum", "const", "pattern"}:
            node["pattern"] = PLAIN_TEXT
        return node

    changed: dict[str, Any] = change(schema)
    return changed


Generate = Callable[[int, int], list[Body]]


def _generator(schema: dict[str, Any], mode: Mode) -> Generate:
    """A function from (how many, seed) to as many bodies by ``schema``; ``NotInstalled`` without the extra."""
    try:
        import schemathesis
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import seed as seeded
        from hypothesis.errors import Unsatisfiable
        from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
    except ImportError as missing:
        raise NotInstalled("needs schemathesis: install chatproof[verify]") from missing

    class Same(HypothesisProvider):
        """Without the constants that hypothesis picks from whatever modules are loaded: they differ from program to program."""

        def _maybe_draw_constant(self, *arguments: Any, **more: Any) -> None:
            return None

    AVAILABLE_PROVIDERS["chatproof"] = Same
    components = schema.pop("components", {})
    media = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"required": True, "content": media}, "responses": {"200": {"description": ""}}}
    document = {
        "openapi": "3.1.1",
        "info": {"title": "", "version": ""},
        "paths": {"/": {"post": operation}},
        "components": components,
    }
    config = schemathesis.Config.from_dict(CONFIG)
    strategy = schemathesis.openapi.from_dict(document, config=config)["/"]["POST"].as_strategy(
        generation_mode=schemathesis.GenerationMode(mode)
    )

    def generate(number: int, seed: int) -> list[Body]:
        drawn: list[Body] = []

        @seeded(seed)
        @settings(
            max_examples=number,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
            backend="chatproof",
        )
        @given(case=strategy)
        def draw(case: Any) -> None:
            drawn.append(case.body)

        with _tables_kept():
            try:
                draw()
            except Unsatisfiable:
                return []
        return drawn

    return generate


CONFIG = {"generation": {"with-security-parameters": False, "database": "none"}}
"""Given whole, so that no ``schemathesis.toml`` of the user's is looked for."""


@contextmanager
def _tables_kept() -> Iterator[None]:
    """Hypothesis keeps its tables of characters, seconds of work, in the user's cache and not in the working directory.

    Where its own directory exists already (its user's) it is used.
    """
    from hypothesis.configuration import set_hypothesis_home_dir, storage_directory

    home = storage_directory(intent_to_write=False).home_directory
    if home.exists():
        yield
        return
    set_hypothesis_home_dir(Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "chatproof")
    try:
        yield
    finally:
        set_hypothesis_home_dir(home)
