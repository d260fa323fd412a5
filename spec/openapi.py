"""The OpenAPI documents of the dialects: read one, derive its 3.1 twin, bundle them, cut out the schema of one body.

Pure functions over plain data; documents and schemas are fresh copies that the caller may change. Import this module
where it is needed (``from ..spec import openapi``): the way to ``serve`` does not pass here.

The documents are OpenAPI 3.2 because only 3.2 can describe one event of a stream (``itemSchema``, OpenAPI 3.2.0,
"Sequential Media Types"). Code generators still want 3.1, hence the twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from jsonpointer import resolve_pointer

from .files import read, read_trusted
from .load import ROOT
from .model import Dialect

Document = dict[str, Any]
Schema = dict[str, Any]

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
COMPONENTS = "#/components/"
OPERATION_SHAPE = {"type": "object", "required": ["operationId", "responses"]}
PATH_SHAPE = {"type": "object", "properties": dict.fromkeys(METHODS, OPERATION_SHAPE)}
SHAPE = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {"paths": {"type": "object", "additionalProperties": PATH_SHAPE}, "components": {"type": "object"}},
}
BUNDLE_INFO = {
    "title": "Agent chat, every dialect",
    "version": "1.0.0",
    "summary": "Several documented ways to talk to a hosted agent over HTTP, each under its own mount.",
    "description": "One tag is one dialect. Operation and component names carry the dialect's name as a prefix.",
}


class UnknownOperation(KeyError):
    """The document has no operation of that ``operationId``."""


def document(dialect: Dialect) -> Document:
    """The OpenAPI 3.2 document in the dialect's folder; ``BadFile`` if a folder from outside has none that can be used."""
    path = dialect.folder / "openapi.yaml"
    data: Document = read_trusted(path) if dialect.folder.parent == ROOT else read(path, SHAPE)
    return data


def twin_31(doc: Document) -> Document:
    """The same API as OpenAPI 3.1.1, for tools that do not know 3.2 yet.

    ``itemSchema`` becomes ``schema`` (read: of each event), and whatever 3.1 has no place for goes: the text examples
    of streams, which would be held against that schema, and ``$self``. A 3.2 ``schema`` of a whole stream is lost.
    """

    def convert(node: Document) -> Document:
        if "itemSchema" not in node:
            return node
        kept = {key: value for key, value in node.items() if key not in ("itemSchema", "examples", "example")}
        return {**kept, "schema": node["itemSchema"]}

    twin: Document = _rebuild(doc, convert)
    twin.pop("$self", None)
    return {**twin, "openapi": "3.1.1"}


def bundle(dialects: Iterable[Dialect]) -> Document:
    """One 3.2 document of all ``dialects``: a tag for each, paths under its mount, names prefixed ``<dialect>_``."""
    whole: Document = {
        "openapi": "3.2.0",
        "info": dict(BUNDLE_INFO),
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {},
    }
    for dialect in dialects:
        doc = document(dialect)
        part = _prefixed(doc, f"{dialect.name}_")
        whole["tags"].append({"name": dialect.name, "description": doc["info"].get("description", dialect.title)})
        for entry in _operations(part):
            entry["tags"] = [dialect.name]
        whole["paths"].update({dialect.mount + path: item for path, item in part["paths"].items()})
        for section, entries in part.get("components", {}).items():
            whole["components"].setdefault(section, {}).update(entries)
    return whole


def operation_ids(doc: Document) -> dict[str, tuple[str, str]]:
    """``operationId`` -> (method in capitals, path), in the order of the document."""
    return {
        item[method]["operationId"]: (method.upper(), path)
        for path, item in doc["paths"].items()
        for method in METHODS
        if method in item
    }


def operation(doc: Document, operation_id: str) -> Document:
    """The operation of that ``operationId`` as it stands in the document, no copy; else ``UnknownOperation``."""
    for found in _operations(doc):
        if found.get("operationId") == operation_id:
            return found
    raise UnknownOperation(f"{operation_id!r}; the document has {', '.join(operation_ids(doc))}")


def follow(doc: Document, node: Document) -> Document:
    """``node``, or what its ``$ref`` points at within the document; ``JsonPointerException`` if that is nothing."""
    while "$ref" in node:
        node = resolve_pointer(doc, node["$ref"].removeprefix("#"))
    return node


def request_schema(doc: Document, operation_id: str) -> Schema | None:
    """The self-contained JSON Schema of the operation's JSON request body; ``None`` if it takes none."""
    body = follow(doc, operation(doc, operation_id).get("requestBody", {}))
    return _self_contained(doc, _media(body, JSON).get("schema"))


def schema_for(doc: Document, operation_id: str, status: int, media_type: str) -> Schema | None:
    """The self-contained JSON Schema of a response body, ready for ``jsonschema.Draft202012Validator``.

    ``media_type`` may carry parameters. ``None``: that status or media type is not documented, or it is a stream, for
    which see ``event_schema``. ``UnknownOperation`` if there is no such operation.
    """
    responses = operation(doc, operation_id)["responses"]
    for key in (str(status), f"{status // 100}XX", "default"):
        if key in responses:
            return _self_contained(doc, _media(follow(doc, responses[key]), media_type).get("schema"))
    return None


def event_schema(doc: Document, operation_id: str) -> Schema | None:
    """The self-contained JSON Schema of ONE event's JSON payload, out of the frame around it (the ``data`` field).

    A data line that is no JSON, such as ``[DONE]``, has no schema of its own: it is a ``const`` of the frame. ``None``
    if the operation documents no stream.
    """
    frame = _event_frame(doc, operation_id)
    if frame is None:
        return None
    data = follow(doc, frame)["properties"]["data"]
    payloads = (branch.get("contentSchema") for branch in (data, *data.get("oneOf", ()), *data.get("anyOf", ())))
    return _self_contained(doc, next(filter(None, payloads), None))


def frame_schema(doc: Document, operation_id: str) -> Schema | None:
    """The self-contained JSON Schema of one event as SSE reads it: ``data``, ``event``, ``id``, ``retry``.

    ``contentSchema`` in it is an annotation which validators pass over; the payload's schema is ``event_schema``.
    """
    return _self_contained(doc, _event_frame(doc, operation_id))


def _event_frame(doc: Document, operation_id: str) -> Schema | None:
    responses = operation(doc, operation_id)["responses"]
    media = (_media(follow(doc, response), EVENT_STREAM) for response in responses.values())
    return next((found["itemSchema"] for found in media if "itemSchema" in found), None)


def _self_contained(doc: Document, schema: Schema | None) -> Schema | None:
    """``schema`` with the component schemas beside it, at the place where the document's own references point."""
    if schema is None:
        return None
    shared = {"components": {"schemas": doc.get("components", {}).get("schemas", {})}}
    return deepcopy({"$schema": DRAFT, **schema, **shared})


def _operations(doc: Document) -> Iterator[Document]:
    for item in doc["paths"].values():
        yield from (item[method] for method in METHODS if method in item)


def _media(holder: Mapping[str, Any], media_type: str) -> Document:
    wanted = media_type.partition(";")[0].strip().lower()
    found: Document = holder.get("content", {}).get(wanted, {})
    return found


def _rebuild(node: Any, change: Callable[[Document], Document]) -> Any:
    """A deep copy in which ``change`` was applied to every mapping, from the leaves up."""
    if isinstance(node, dict):
        return change({key: _rebuild(value, change) for key, value in node.items()})
    if isinstance(node, list):
        return [_rebuild(value, change) for value in node]
    return node


def _prefixed(doc: Document, prefix: str) -> Document:
    """A copy in which operationIds, component names, security schemes and all references to them carry ``prefix``."""
    common = doc.get("security")

    def rename(ref: str) -> str:
        section, _, name = ref.removeprefix(COMPONENTS).partition("/")
        return f"{COMPONENTS}{section}/{prefix}{name}" if ref.startswith(COMPONENTS) else ref

    def change(node: Document) -> Document:
        if isinstance(node.get("$ref"), str):
            node["$ref"] = rename(node["$ref"])
        if isinstance(node.get("discriminator"), dict) and "mapping" in node["discriminator"]:
            node["discriminator"]["mapping"] = {k: rename(v) for k, v in node["discriminator"]["mapping"].items()}
        return node

    copy: Document = _rebuild(doc, change)
    for entry in _operations(copy):
        entry["operationId"] = prefix + entry["operationId"]
        needs = entry.get("security", common)
        if needs is not None:
            entry["security"] = [{prefix + name: scopes for name, scopes in need.items()} for need in needs]
    components = copy.get("components", {})
    copy["components"] = {
        section: {prefix + name: value for name, value in entries.items()} for section, entries in components.items()
    }
    return copy
