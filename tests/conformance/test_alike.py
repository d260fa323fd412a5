"""Values of one shape are taken by a schema together or not at all; where that is not so, nothing has a shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatproof.conformance.alike import Alike
from chatproof.conformance.schema import Rule, violations
from chatproof.spec import dialect, names, openapi

SCHEMAS = [
    schema
    for one in map(dialect, names())
    for operation in one.operations
    if (schema := openapi.event_schema(openapi.document(one), operation.id)) is not None
]
TEXTS = st.sampled_from(["", "text", "token", "chunk", "done", "error", "a", "b", "two words"])
LEAVES = TEXTS | st.none() | st.booleans() | st.integers(-1, 2) | st.just(1.0)
FIELDS = ("type", "content", "chunk", "name", "args", "message", "usage", "input_tokens", "session_id", "tokens_used")
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
)


@given(st.sampled_from(SCHEMAS), st.lists(VALUES, min_size=2, max_size=12))
def test_a_value_is_judged_the_same_whatever_was_judged_before(schema: Any, values: list[Any]) -> None:
    rule, validator = Rule(Draft202012Validator(schema), Alike(schema)), Draft202012Validator(schema)
    for value in values:
        assert (violations(rule, value) == []) == validator.is_valid(value)


def test_texts_are_alike_but_for_constants_and_the_empty_one() -> None:
    alike = Alike({"properties": {"type": {"const": "done"}, "text": {"minLength": 1}}})
    said = [alike.shape({"type": "done", "text": text}) for text in ("a", "b", "", "done")]
    assert said[0] == said[1]
    assert len(set(said)) == 3
    assert alike.shape({"type": "else", "text": "a"}) != said[0]
    assert alike.shape([1]) != alike.shape([True]) != alike.shape([1.0])


@pytest.mark.parametrize("more", [{"pattern": "^a"}, {"minLength": 2}, {"maxLength": 9}, {"uniqueItems": True}])
def test_where_a_schema_tells_texts_apart_nothing_is_alike(more: dict[str, Any]) -> None:
    assert Alike({"properties": {"x": more}}).shape("a") is None


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_documented_events_are_of_few_shapes(schema: Any) -> None:
    assert Alike(schema).shape("a") is not None
