"""Holds bodies and events against the dialect's OpenAPI document. Every violation in words, with the place in the JSON."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ..spec import Dialect, openapi
from .reading import MISSING
from .seen import Seen

MOST = 5


_VALIDATORS: dict[tuple[str, str, str, str], Draft202012Validator | None] = {}


def body_violations(seen: Seen) -> list[str]:
    """How a JSON body differs from what its operation and status document; empty too where nothing is documented."""
    validator = _validator(seen.dialect, seen.asked["operation"], str(seen.status))
    if validator is None:
        return []
    return ["it is no JSON"] if seen.json is MISSING else violations(validator, seen.json)


def event_violations(seen: Seen, value: Any) -> list[str]:
    """How one event's JSON differs from the documented events; a literal that is no JSON has nothing to differ in."""
    validator = _validator(seen.dialect, seen.asked["operation"], "event")
    return [] if validator is None or value is None else violations(validator, value)


def documented(seen: Seen) -> bool:
    """Whether this operation documents a JSON body for this status."""
    return _validator(seen.dialect, seen.asked["operation"], str(seen.status)) is not None


def violations(validator: Draft202012Validator, value: Any) -> list[str]:
    """At most ``MOST`` violations; of alternatives, the one that comes nearest."""
    return [_explain(_nearest(error)) for error in list(validator.iter_errors(value))[:MOST]]


def request_violations(dialect: Dialect, operation: str, body: Any) -> list[str]:
    """How a request of our own differs from the OpenAPI document: a mistake of the harness, not of the target."""
    validator = _validator(dialect, operation, "request")
    return [] if validator is None else violations(validator, body)


def _validator(dialect: Dialect, operation: str, what: str) -> Draft202012Validator | None:
    key = (str(dialect.folder), dialect.name, operation, what)
    if key not in _VALIDATORS:
        document = openapi.document(dialect)
        match what:
            case "request":
                schema = openapi.request_schema(document, operation)
            case "event":
                schema = openapi.event_schema(document, operation)
            case status:
                schema = openapi.schema_for(document, operation, int(status), openapi.JSON)
        _VALIDATORS[key] = None if schema is None else Draft202012Validator(schema)
    return _VALIDATORS[key]


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
