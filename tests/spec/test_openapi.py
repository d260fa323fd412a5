"""The OpenAPI documents are valid, and agree with the tables beside them (law 6); so does what is derived from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonpointer import resolve_pointer

from chatproof import spec
from chatproof.spec import Dialect, openapi
from chatproof.spec.files import BadFile, read

DIALECTS = [spec.dialect(name) for name in spec.names()]
OPERATIONS = [(dialect, operation) for dialect in DIALECTS for operation in dialect.operations]
ALSO_ACCEPTED = "x-chatproof-also-accepted"
UNIONS = ("allOf", "anyOf", "oneOf")

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
each_document = pytest.mark.parametrize("name", [*spec.names(), "bundle"])


def each(*modes: str) -> pytest.MarkDecorator:
    chosen = [(dialect, operation) for dialect, operation in OPERATIONS if operation.mode in modes]
    names = [f"{dialect.name}-{operation.id}" for dialect, operation in chosen]
    return pytest.mark.parametrize(("dialect", "operation"), chosen, ids=names)


each_operation = each("json", "stream", "switched", "keys")
each_chat = each("json", "stream", "switched")


# --- what the tests look things up with -----------------------------------------------------------------------------


def named(name: str) -> openapi.Document:
    return openapi.bundle(DIALECTS) if name == "bundle" else openapi.document(spec.dialect(name))


def mappings(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from mappings(child)


def branches(schema: Any, root: Any) -> Iterator[dict[str, Any]]:
    """The schema, what it refers to, and every member of its unions: each a place where a property may be declared."""
    if isinstance(schema, dict):
        yield schema
        targets = [resolve_pointer(root, schema["$ref"][1:])] if "$ref" in schema else []
        for target in targets + [member for union in UNIONS for member in schema.get(union, ())]:
            yield from branches(target, root)


def at(schema: Any, pointer: str, root: Any) -> list[dict[str, Any]]:
    """Every schema that a value at ``pointer`` may be held against; empty if the documents know no such place."""
    found = [schema]
    for step in pointer.split("/")[1:]:
        places = [place for one in found for place in branches(one, root)]
        found = [
            place["items"] if step.isdigit() and "items" in place else place["properties"][step]
            for place in places
            if step in place.get("properties", {}) or (step.isdigit() and "items" in place)
        ]
    return found


def required(schema: Any, pointer: str, root: Any) -> bool:
    """Whether every step of ``pointer`` must be there."""
    steps = pointer.split("/")[1:]
    parents = ["".join(f"/{step}" for step in steps[:depth]) for depth in range(len(steps))]
    return all(
        any(step in place.get("required", ()) for one in at(schema, parent, root) for place in branches(one, root))
        for parent, step in zip(parents, steps, strict=True)
    )


def responses(doc: openapi.Document, operation_id: str) -> dict[int, openapi.Document]:
    answers = openapi.operation(doc, operation_id)["responses"]
    return {int(status): openapi.follow(doc, node) for status, node in answers.items()}


# --- valid ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@each_document
def test_the_document_and_its_twin_are_valid_openapi(name: str) -> None:
    from openapi_spec_validator import validate

    doc = named(name)
    twin = openapi.twin_31(doc)
    validate(doc)
    validate(twin)
    assert (doc["openapi"], twin["openapi"]) == ("3.2.0", "3.1.1")
    assert not [node for node in mappings(twin) if "itemSchema" in node or "serializedValue" in node]
    assert [node for node in mappings(doc) if "itemSchema" in node], "the document itself must keep its streams"


@each_dialect
def test_the_file_has_no_duplicate_key_and_no_empty_value_by_accident(dialect: Dialect) -> None:
    doc = read(dialect.folder / "openapi.yaml", openapi.SHAPE)
    empty = {key for node in mappings(doc) for key, value in node.items() if value is None}
    assert empty <= {"default", "const", "data", "error", "conversationId"}, "a comma in an unquoted text?"


@each_document
def test_every_reference_leads_somewhere_and_every_component_is_used(name: str) -> None:
    for doc in (named(name), openapi.twin_31(named(name))):
        refs = {node["$ref"] for node in mappings(doc) if "$ref" in node}
        choices = [node["discriminator"]["mapping"] for node in mappings(doc) if "discriminator" in node]
        for ref in refs | {ref for mapping in choices for ref in mapping.values()}:
            assert resolve_pointer(doc, ref.removeprefix("#"))
        sections = [(section, key) for section, entries in doc["components"].items() for key in entries]
        parts = {f"#/components/{section}/{key}" for section, key in sections if section != "securitySchemes"}
        assert parts == refs
        needs = [need for node in mappings(doc) for need in node.get("security", ())]
        assert {scheme for need in needs for scheme in need} == set(doc["components"]["securitySchemes"])


@each_dialect
def test_the_rulings_it_names_are_in_the_register(dialect: Dialect) -> None:
    cited = set(re.findall(r"AMB-\d+", (dialect.folder / "openapi.yaml").read_text("utf-8")))
    assert cited <= {ambiguity.id for ambiguity in spec.ambiguities()}


def test_a_folder_from_outside_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    outside = replace(DIALECTS[0], folder=tmp_path)
    file.write_text("openapi: 3.2.0\ninfo: {title: x, version: '1'}\n")
    with pytest.raises(BadFile, match="missing key 'paths'"):
        openapi.document(outside)
    file.write_text("openapi: 3.2.0\ninfo: {title: x, version: '1'}\npaths:\n  /chat:\n    post: {responses: {}}\n")
    with pytest.raises(BadFile, match="missing key 'operationId'"):
        openapi.document(outside)
    file.unlink()
    with pytest.raises(BadFile, match="cannot be read"):
        openapi.document(outside)


# --- agrees with dialect.yaml ---------------------------------------------------------------------------------------


@each_dialect
def test_it_has_the_operations_of_the_table_and_their_aliases(dialect: Dialect) -> None:
    doc = openapi.document(dialect)
    ids = openapi.operation_ids(doc).items()
    anonymous = {(name, method, re.sub(r"\{\w+\}", "{}", path)) for name, (method, path) in ids}
    table = {(op.id, op.method, op.path.replace("{agent}", "{}")) for op in dialect.operations}
    aliases = {(op.method, alias.replace("{agent}", "{}")) for op in dialect.operations for alias in op.aliases}
    assert table <= anonymous
    assert {(method, path) for _, method, path in anonymous - table} == aliases
    assert doc["servers"][0]["url"] == dialect.mount


@each_chat
def test_the_request_has_the_roles_of_the_table(dialect: Dialect, operation: spec.Operation) -> None:
    doc, request = openapi.document(dialect), dialect.request
    schema = openapi.request_schema(doc, operation.id)
    forms = [schema, *openapi.operation(doc, operation.id).get(ALSO_ACCEPTED, ())]
    for role, pointers in request.chat.items():
        for pointer in pointers:
            found = [place for form in forms for place in at(form, pointer, doc)]
            assert found, f"{role} at {pointer} is nowhere"
            nullable = {"null" in place["type"] for place in found if isinstance(place["type"], list)}
            assert (True in nullable) == (role in request.nullable), f"{role} at {pointer}: may it be null?"
    must = {role for role, pointers in request.chat.items() if required(schema, pointers[0], doc)}
    assert must == set(request.required)


@each_chat
def test_streaming_defaults_to_what_the_table_says(dialect: Dialect, operation: spec.Operation) -> None:
    doc = openapi.document(dialect)
    [stream] = at(openapi.request_schema(doc, operation.id), dialect.request.chat["stream"][0], doc)
    kinds = set(responses(doc, operation.id)[200]["content"])
    assert stream["default"] is dialect.request.switch.default
    assert kinds == ({openapi.EVENT_STREAM} if operation.mode == "stream" else {openapi.JSON, openapi.EVENT_STREAM})


@each_operation
def test_the_reply_has_the_roles_of_the_table(dialect: Dialect, operation: spec.Operation) -> None:
    doc = openapi.document(dialect)
    schema = openapi.schema_for(doc, operation.id, 200, "Application/JSON; charset=utf-8")
    if operation.mode == "stream":
        assert schema is None
        return
    shape = dialect.key_reply if operation.mode == "keys" else dialect.reply
    assert shape is not None
    agree(shape, schema, doc)
    if operation.mode == "keys":
        body = openapi.request_schema(doc, operation.id)
        assert all(at(body, pointer, doc) for pointers in dialect.request.keys.values() for pointer in pointers)


@each_chat
def test_the_stream_has_the_rows_of_the_table(dialect: Dialect, operation: spec.Operation) -> None:
    doc = openapi.document(dialect)
    union = doc["components"]["schemas"]["StreamEvent"]
    rows = [row for row in dialect.stream if row.literal is None]
    assert len(union["oneOf"]) == len(rows)
    for row, member in zip(rows, union["oneOf"], strict=True):
        agree(row.shape, member, doc)
    frame = openapi.frame_schema(doc, operation.id)
    consts = {node["const"] for node in mappings(at(frame, "/data", doc)) if "const" in node}
    assert consts == {row.literal for row in dialect.stream if row.literal}


def agree(shape: spec.Shape, schema: Any, doc: openapi.Document) -> None:
    """Roles of ``shape`` are required at their first place, optional ones are not, constants are ``const``."""
    for pointers in shape.roles.values():
        assert required(schema, pointers[0], doc), pointers[0]
    for pointers in shape.optional.values():
        assert at(schema, pointers[0], doc), pointers[0]
        assert not required(schema, pointers[0], doc), pointers[0]
    for pointer, constant in shape.constants.items():
        assert {"const": constant} in at(schema, pointer, doc), pointer


@each_operation
def test_the_errors_have_the_statuses_and_roles_of_the_table(dialect: Dialect, operation: spec.Operation) -> None:
    doc = openapi.document(dialect)
    rows = [row for row in dialect.errors.values() if row.documented]
    assert {status for row in rows for status in row.accept} == set(responses(doc, operation.id)) - {200, 201}
    for row in rows:
        schema = openapi.schema_for(doc, operation.id, row.status, openapi.JSON)
        for pointer in (*(p for pointers in row.shape.roles.values() for p in pointers), *row.shape.constants):
            assert at(schema, pointer, doc), f"{row.refusal}: {pointer}"


@each_operation
def test_limit_headers_stand_where_they_are_promised(dialect: Dialect, operation: spec.Operation) -> None:
    limits = dialect.limits
    names = {limits.limit, limits.remaining, limits.reset}
    doc = openapi.document(dialect)
    for status, response in responses(doc, operation.id).items():
        headers = {name: openapi.follow(doc, node) for name, node in response.get("headers", {}).items()}
        given = {name: header.get("required", False) for name, header in headers.items() if name in names}
        if limits.promised and status != 403:  # 403 stands for any refusal (AMB-22)
            assert given == dict.fromkeys(names, status != 401), "required but for 401 (AMB-11)"
        else:
            assert not given
        assert (limits.retry_after in headers) == (status == 429)
        assert ("WWW-Authenticate" in headers) == (status == 401)


# --- derived documents ---------------------------------------------------------------------------------------------


def test_the_bundle_holds_every_dialect_under_its_mount() -> None:
    whole = openapi.bundle(DIALECTS)
    for dialect in DIALECTS:
        doc = openapi.document(dialect)
        for name, (method, path) in openapi.operation_ids(doc).items():
            bundled = f"{dialect.name}_{name}"
            own = (openapi.operation(doc, name).get("security") or doc["security"])[0]
            assert openapi.operation_ids(whole)[bundled] == (method, dialect.mount + path)
            assert openapi.operation(whole, bundled)["tags"] == [dialect.name]
            assert openapi.operation(whole, bundled)["security"] == [{f"{dialect.name}_{scheme}": []} for scheme in own]
            assert {f"{dialect.name}_{scheme}" for scheme in own} <= set(whole["components"]["securitySchemes"])


def load_in_schemathesis(doc: openapi.Document) -> Any:
    import schemathesis

    settings = {"base-url": "http://127.0.0.1:1", "cache": {"enabled": False}}
    return schemathesis.openapi.from_dict(doc, config=schemathesis.Config.from_dict(settings))


@pytest.mark.slow
@each_document
def test_schemathesis_finds_the_operations_in_both_versions(name: str) -> None:
    doc = named(name)
    expected = [f"{method} {path}" for method, path in openapi.operation_ids(doc).values()]
    for version in (doc, openapi.twin_31(doc)):
        found = load_in_schemathesis(version).get_all_operations()
        assert [result.ok().label for result in found] == expected
