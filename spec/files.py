"""Reads a YAML file, holds it against a JSON Schema, and says every mistake at once as ``file:line:column: message``.

PyYAML alone lets a duplicate key win silently and reads ``on`` as true; neither happens here. Files that came with the
package are proved by the tests and read by ``read_trusted``, which costs no import of jsonschema.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SCHEMAS = Path(__file__).parent / "schema"

LARGEST = 200_000
"""How many values a file may have that has fewer characters: aliases of aliases make many out of few."""

Where = tuple[int, int]
Spot = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake in a file; lines and columns count from 1."""

    line: int
    column: int
    message: str


@dataclass(frozen=True)
class Located:
    """A file's data, where each of its keys and values stands, and the mistakes found in it: ``bad`` says which values they spoil."""

    data: Any
    keys: Mapping[Spot, Where]
    values: Mapping[Spot, Where]
    problems: tuple[Problem, ...]
    bad: tuple[Spot, ...]


class BadFile(Exception):
    """A file that cannot be used. ``str()`` is one line a problem, ready to print; exit code 2."""

    def __init__(self, path: Path | str, problems: list[Problem]) -> None:
        self.path = str(path)
        self.problems = sorted(problems, key=lambda p: (p.line, p.column))
        super().__init__("\n".join(f"{path}:{p.line}:{p.column}: {p.message}" for p in self.problems))


class _Trusting(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML whose only booleans are ``true`` and ``false`` and whose dates stay text, as in YAML 1.2's core schema."""


_Trusting.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if not tag.endswith((":bool", ":timestamp"))]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Trusting.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))

_COMPOSING = (_Trusting,) if hasattr(_Trusting, "compose_node") else (yaml.composer.Composer, _Trusting)


class _Loader(*_COMPOSING):  # type: ignore[misc]
    """The same for files of others: nodes are made in Python, where nesting ends in a ``RecursionError``; in C it ends the process."""

    def __init__(self, text: str) -> None:
        self.anchors: dict[str, yaml.Node] = {}
        _Trusting.__init__(self, text)  # type: ignore[call-arg]


def read_trusted(path: Path) -> Any:
    """The data of a packaged file, unchecked: fast, for the way to ``serve``."""
    return yaml.load(path.read_bytes(), Loader=_Trusting)


def read(path: Path | str, schema: Mapping[str, Any] | str) -> Any:
    """The data of ``path``, valid under ``schema`` (a schema, or the name of one in ``spec/schema``); else ``BadFile``."""
    path = Path(path)
    return read_text(text_of(path), path, schema)


def text_of(path: Path) -> str:
    """The text of a file; ``BadFile`` if it cannot be read or is no UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadFile(path, [Problem(1, 1, f"cannot be read: {error.strerror or error}")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadFile(path, [Problem(line, 1, "is not UTF-8 text")]) from None


def read_text(text: str, path: Path | str, schema: Mapping[str, Any] | str) -> Any:
    """As ``read``, for text already at hand; ``path`` only names it in messages."""
    found = locate(text, path, load_schema(schema) if isinstance(schema, str) else schema)
    if found.problems:
        raise BadFile(path, list(found.problems))
    return found.data


def locate(text: str, path: Path | str, schema: Mapping[str, Any]) -> Located:
    """As ``read_text``, for a caller with checks of its own: mistakes are told beside the data. ``BadFile`` if it is no YAML at all."""
    data, keys, values, problems = _load(text, path)
    violations = list(_violations(data, keys, values, schema))
    problems += [problem for _, problem in violations]
    return Located(data, keys, values, tuple(problems), tuple(spot for spot, _ in violations))


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema ``spec/schema/{name}.schema.json``."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return schema


def did_you_mean(word: str, known: list[str]) -> str:
    """``" (did you mean 'x'?)"``, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def mistakes(data: Any, schema: Mapping[str, Any], whole: str) -> list[str]:
    """What is wrong with a JSON value under a schema, in the words used for files; ``whole`` names the value itself."""
    return [problem.message for _, problem in _violations(data, {}, {}, schema, whole)]


def _load(text: str, path: Path | str) -> tuple[Any, dict[Spot, Where], dict[Spot, Where], list[Problem]]:
    keys: dict[Spot, Where] = {}
    values: dict[Spot, Where] = {}
    problems: list[Problem] = []
    largest = max(LARGEST, len(text))

    def walk(node: yaml.Node, spot: Spot) -> None:
        values[spot] = _where(node.start_mark)
        if len(values) > largest:
            raise BadFile(path, [Problem(*values[spot], f"more than {largest} values, those of aliases included")])
        if isinstance(node, yaml.MappingNode):
            seen: dict[Any, int] = {}
            for key_node, value_node in node.value:
                key, where = key_node.value, _where(key_node.start_mark)
                if key in seen:
                    problems.append(Problem(*where, f"duplicate key {key!r}, first given on line {seen[key]}"))
                seen.setdefault(key, where[0])
                keys[(*spot, key)] = where
                walk(value_node, (*spot, key))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                walk(item, (*spot, index))

    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise BadFile(path, [Problem(1, 1, "is empty")])
        walk(node, ())
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = _where(mark) if mark else (1, 1)
        raise BadFile(path, [Problem(line, column, f"is not YAML: {error.problem or error.context}")]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = before.count("\n") + 1, error.position - before.rfind("\n")
        raise BadFile(path, [Problem(*where, f"is not YAML: {error.reason}")]) from None
    except RecursionError:
        raise BadFile(path, [Problem(1, 1, "is nested too deeply, or refers to itself")]) from None
    finally:
        if loader is not None:
            loader.dispose()
    return data, keys, values, problems


def _where(mark: Any) -> Where:
    return mark.line + 1, mark.column + 1


def inlined(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same schema with what it refers to in its place, which is checked in half of the time; made once for each schema."""
    if "$defs" not in schema:
        return schema
    known = _INLINED.get(id(schema))
    if known is None or known[0] is not schema:
        known = _INLINED[id(schema)] = schema, _inlined(schema, schema, ())
    return known[1]


def _inlined(part: Any, whole: Mapping[str, Any], under: tuple[str, ...]) -> Any:
    """``under``: the references that lead to ``part``, since one that leads back to itself stays one."""
    if isinstance(part, list):
        return [_inlined(one, whole, under) for one in part]
    if not isinstance(part, dict):
        return part
    made = {word: _inlined(one, whole, under) for word, one in part.items()}
    place = part.get("$ref")
    if not isinstance(place, str) or not place.startswith("#/$defs/") or place in under:
        return made
    meant = _inlined(whole["$defs"][place.removeprefix("#/$defs/")], whole, (*under, place))
    beside = {word: one for word, one in made.items() if word != "$ref"}
    return made if beside.keys() & meant.keys() - {"description"} else {**beside, **meant}


_INLINED: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}


def _violations(
    data: Any, keys: dict[Spot, Where], values: dict[Spot, Where], schema: Mapping[str, Any], whole: str = "the file"
) -> Iterator[tuple[Spot, Problem]]:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    for error in Draft202012Validator(inlined(schema)).iter_errors(data):
        while error.context:
            error = best_match(error.context) or error.context[0]
        spot: Spot = tuple(error.absolute_path)
        where = values.get(spot, (1, 1))
        name = ".".join(map(str, spot)) or whole
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            allowed = sorted(error.schema.get("properties", {}))
            patterns = error.schema.get("patternProperties", {})
            for key in error.instance:
                if key not in allowed and not any(re.search(p, str(key)) for p in patterns):
                    hint = did_you_mean(str(key), allowed) or f"; allowed: {', '.join(allowed)}"
                    yield (*spot, key), Problem(*keys.get((*spot, str(key)), where), f"unknown key {key!r}{hint}")
        elif "propertyNames" in error.absolute_schema_path:
            key = str(error.instance)
            allowed = [str(word) for word in error.schema.get("enum", [])]
            hint = did_you_mean(key, allowed) or (f"; allowed: {', '.join(allowed)}" if allowed else "")
            message = f"unknown key {key!r}{hint}" if allowed else f"a key of {name}: {_explain(error)}"
            yield (*spot, error.instance), Problem(*keys.get((*spot, key), where), message)
        else:
            yield spot, Problem(*where, f"{name}: {_explain(error)}")


_TYPES = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a whole number", float: "a number", type(None): "null"}  # fmt: skip
_JSON_TYPES = {
    "object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false",
    "integer": "a whole number", "number": "a number", "null": "null",
}  # fmt: skip


def _explain(error: Any) -> str:
    """jsonschema's error in words a writer of the file can act on."""
    value, rule = error.instance, error.validator_value
    got = f"{value!r}" if isinstance(value, str | int | float) and not isinstance(value, bool) else _TYPES[type(value)]
    if error.validator == "type":
        wanted = [rule] if isinstance(rule, str) else rule
        return f"expected {' or '.join(_JSON_TYPES[t] for t in wanted)}, got {got}"
    if error.validator == "enum":
        words = [str(word) for word in rule]
        return f"expected one of {', '.join(words)}, got {got}{did_you_mean(str(value), words)}"
    if error.validator == "const":
        return f"expected {rule!r}, got {got}"
    if error.validator == "required":
        missing = [key for key in rule if key not in value]
        return f"missing key {', '.join(map(repr, missing))}"
    if error.validator == "pattern":
        return f"expected {error.schema.get('description', f'text matching {rule}')}, got {got}"
    return str(error.message)
