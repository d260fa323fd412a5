"""Holds bodies and events against the dialect's OpenAPI document. Every violation in words, with the place in the JSON."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ..spec import Dialect, openapi
from .alike import Alike
from .reading import MISSING
from .seen import Seen

MOST = 5


@dataclass(frozen=True)
class Rule:
    """One schema, and the shapes of values that it is known to take."""

    validator: Draft202012Validator
    alike: Alike
    taken: set[Hashable] = field(default_factory=set)


_RULES: dict[tuple[str, str, str, str], Rule | None] = {}


def body_violations(seen: Seen) -> list[str]:
    """How a JSON body differs from what its operation and status document; empty too where nothing is documented."""
    rule = _rule(seen.dialect, seen.asked["operation"], str(seen.status))
    if rule is None:
        return []
    return ["it is no JSON"] if seen.json is MISSING else violations(rule, seen.json)


def event_violations(seen: Seen, value: Any) -> list[str]:
    """How one event's JSON differs from the documented events; a literal that is no JSON has nothing to differ in."""
    rule = _rule(seen.dialect, seen.asked["operation"], "event")
    return [] if rule is None or value is None else violations(rule, value)


def documented(seen: Seen) -> bool:
    """Whether this operation documents a JSON body for this status."""
    return _rule(seen.dialect, seen.asked["operation"], str(seen.status)) is not None


def violations(rule: Rule, value: Any) -> list[str]:
    """At most ``MOST`` violations; of alternatives, the one that comes nearest."""
    shape = rule.alike.shape(value)
    if shape in rule.taken:
        return []
    found = [_explain(_nearest(error)) for error in list(rule.validator.iter_errors(value))[:MOST]]
    if shape is not None and not found:
        rule.taken.add(shape)
    return found


def request_violations(dialect: Dialect, operation: str, body: Any) -> list[str]:
    """How a request of our own differs from the OpenAPI document: a mistake of the harness, not of the target."""
    rule = _rule(dialect, operation, "request")
    return [] if rule is None else violations(rule, body)


def _rule(dialect: Dialect, operation: str, what: str) -> Rule | None:
    key = (str(dialect.folder), dialect.name, operation, what)
    if key not in _RULES:
        document = openapi.document(dialect)
        match what:
            case "request":
                schema = openapi.request_schema(document, operation)
            case "event":
                schema = openapi.event_schema(document, operation)
            case status:
                schema = openapi.schema_for(document, operation, int(status), openapi.JSON)
        _RULES[key] = None if schema is None else Rule(Draft202012Validator(schema), Alike(schema))
    return _RULES[key]


def _nearest(error: ValidationError) -> ValidationError:
    while error.context:
        nearest = best_match(error.context)
        if nearest is None:
            break
        error = nearest
    return error


def _explain(error: ValidationError) -> str:
    where = "/" + "/".join(map(str, error.absolute_path))
    return f"at {where}: {error.message[:200]}"
