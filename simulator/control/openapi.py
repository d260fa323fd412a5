"""The OpenAPI document (3.1) of the control API, out of its table."""

from __future__ import annotations

import re
from typing import Any

from ..journal_file import version
from .operations import OPERATIONS, Operation

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "message", "problems"],
            "properties": {
                "status": {"type": "integer"},
                "message": {"type": "string"},
                "problems": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}
QUERY = {
    "scope": "The scope that is meant; the server itself, if left out",
    "limit": "How many are shown, 100 if left out",
    "wire": "true: with the bytes of each write and when it was made",
    "format": "json, or har",
    "dry_run": "true: the script is checked, and nothing changes",
    "since": "After that number",
    "contains": "In the request's body",
    "unmatched": "true: only those that no rule of a script fits",
    "status": "A number, or a class as 4xx",
}


def document(secured: bool) -> dict[str, Any]:
    """The whole document. ``secured``: whether a token is needed."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    security = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "chatproof control API", "version": version() or "0"},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {"Error": ERROR}, **({"securitySchemes": security} if secured else {})},
        **({"security": [{"token": []}]} if secured else {}),
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parts = [part for part in re.split(r"[/{}-]", operation.path) if part]
    shown: dict[str, Any] = {
        "operationId": "-".join([operation.method.lower(), *parts]),
        "summary": operation.says,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _path(operation)
            ),
            *(_query(name) for name in operation.query),
        ],
        "responses": {
            "2XX": {"description": "Done", "content": {_media(operation): {"schema": {}}}},
            "4XX": {
                "description": "Nothing was changed",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if operation.body is not None:
        content = {"application/yaml" if operation.text else "application/json": {"schema": operation.body}}
        shown["requestBody"] = {"required": not operation.optional, "content": content}
    return shown


def _media(operation: Operation) -> str:
    return "text/plain" if operation.path == "/metrics" else "application/json"


def _path(operation: Operation) -> list[str]:
    return re.findall(r"\{(\w+)\}", operation.path)


def _query(name: str) -> dict[str, Any]:
    meaning = {"description": QUERY[name]} if name in QUERY else {}
    return {"name": name, "in": "query", "schema": {"type": "string"}, **meaning}
