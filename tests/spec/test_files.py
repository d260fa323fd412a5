"""YAML files: every mistake at once, each with its place; and the traps of YAML 1.1 closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chatproof.spec import files
from chatproof.spec.files import BadFile, did_you_mean, inlined, load_schema, read, read_text, read_trusted

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "kind": {"enum": ["json", "stream"]},
        "rows": {"type": "array", "items": {"type": "object", "additionalProperties": False, "properties": {"id": {}}}},
        "path": {"type": "string", "pattern": "^/", "description": "a path such as /chat"},
        "fixed": {"const": 7},
    },
}

DEEP = ("name: " + "[" * 5_000 + "]" * 5_000, "- " * 40_000, "? " * 40_000, "{a: " * 50_000)
READER = """
import sys
from chatproof.spec.files import BadFile, read
for path in sys.argv[1:]:
    try:
        read(path, {})
    except BadFile as error:
        print(error)
"""


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(BadFile) as caught:
        read_text(text, "a.yaml", SCHEMA)
    return [(problem.line, problem.column, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("name: x\nname: y\n", (2, 1), "duplicate key 'name', first given on line 1"),
        ("name: x\nnmae: y\n", (2, 1), "unknown key 'nmae' (did you mean 'name'?)"),
        ("name: x\nzzz: y\n", (2, 1), "unknown key 'zzz'; allowed: count, fixed, kind, name, path, rows"),
        ("name: 7\n", (1, 7), "name: expected text, got 7"),
        ("name: on\ncount: on\n", (2, 8), "count: expected a whole number, got 'on'"),
        ("name: x\nkind: jsn\n", (2, 7), "kind: expected one of json, stream, got 'jsn' (did you mean 'json'?)"),
        ("name: x\nrows:\n- id: 1\n- ident: 2\n", (4, 3), "unknown key 'ident'"),
        ("name: x\npath: chat\n", (2, 7), "path: expected a path such as /chat, got 'chat'"),
        ("name: x\nfixed: 8\n", (2, 8), "fixed: expected 7, got 8"),
        ("count: 1\n", (1, 1), "missing key 'name'"),
        ("- a\n", (1, 1), "the file: expected a mapping, got a list"),
        ("", (1, 1), "is empty"),
        ("name: [x\n", (2, 1), "is not YAML"),
        ("name: x\n\tcount: 1\n", (2, 1), "is not YAML"),
        ("name: !!python/name:os.system x\n", (1, 7), "is not YAML"),
        ("&a name: x\nrows: *b\n", (2, 7), "is not YAML: found undefined alias"),
    ],
)
def test_a_mistake_is_said_where_it_is(text: str, place: tuple[int, int], words: str) -> None:
    (line, column, message), *_ = problems(text)
    assert (line, column) == place
    assert words in message


def test_every_mistake_is_said_at_once_and_in_order() -> None:
    found = problems("kind: x\nname: 1\nfoo: 2\ncount: y\n")
    assert [line for line, *_ in found] == [1, 2, 3, 4]


def test_the_message_is_a_line_for_each_problem() -> None:
    with pytest.raises(BadFile) as caught:
        read_text("name: 1\nfoo: 2\n", Path("dir/a.yaml"), SCHEMA)
    assert str(caught.value).split("\n") == [
        "dir/a.yaml:1:7: name: expected text, got 1",
        "dir/a.yaml:2:1: unknown key 'foo'; allowed: count, fixed, kind, name, path, rows",
    ]


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "2026-01-01", "2026-01-01T00:00:00Z"])
def test_words_stay_text(word: str, tmp_path: Path) -> None:
    """YAML 1.1 would make booleans and dates of them."""
    path = tmp_path / "a.yaml"
    path.write_text(f"name: {word}\n")
    assert read(path, SCHEMA) == read_trusted(path) == {"name": word}


def test_true_is_still_a_boolean() -> None:
    assert read_text("name: x\nrows: [{id: true}]\n", "a.yaml", SCHEMA)["rows"] == [{"id": True}]


@pytest.mark.slow
def test_deep_nesting_is_a_bad_file_and_no_crash(tmp_path: Path) -> None:
    """In a process of its own: what libyaml makes of such files ends the process."""
    paths = [tmp_path / f"{at}.yaml" for at in range(len(DEEP))]
    for path, text in zip(paths, DEEP, strict=True):
        path.write_text(text, "utf-8")
    done = subprocess.run([sys.executable, "-c", READER, *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{path}:1:1: is nested too deeply, or refers to itself" for path in paths]


def test_a_file_may_have_as_many_values_as_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 10)
    assert len(read_text("[" + "a," * 20 + "]", "a.yaml", {})) == 20
    text = "a: &a [1,2,3,4,5,6,7]\nb: [*a,*a,*a]\nc: [*a,*a,*a]\n"
    with pytest.raises(BadFile, match=f"more than {len(text)} values, those of aliases included"):
        read_text(text, "a.yaml", {})


def test_a_schema_without_references_says_the_same() -> None:
    schema: dict[str, Any] = {
        "$defs": {
            "path": {"type": "string", "pattern": "^/", "description": "a path such as /chat"},
            "tree": {
                "type": "object",
                "properties": {"leaf": {"$ref": "#/$defs/tree"}, "at": {"$ref": "#/$defs/path"}},
            },
            "named": {"properties": {"name": {"const": 1}}},
        },
        "$ref": "#/$defs/tree",
        "required": ["leaf"],
        "properties": {"both": {"$ref": "#/$defs/named", "properties": {"more": {"const": 2}}, "description": "ours"}},
    }
    for value in (
        {},
        {"leaf": {"leaf": {"at": "x"}}},
        {"leaf": {"leaf": 1}},
        {"leaf": {}, "both": {"name": 2, "more": 3}},
    ):
        plain = [error.message for error in Draft202012Validator(schema).iter_errors(value)]
        assert sorted(error.message for error in Draft202012Validator(inlined(schema)).iter_errors(value)) == sorted(
            plain
        )
        assert plain
    path = inlined(schema["$defs"] | {"$defs": schema["$defs"], "at": {"$ref": "#/$defs/path", "description": "ours"}})
    assert path["at"] == schema["$defs"]["path"], "the words of the definition are those for who reads a message"


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"name: \xff\n", "is not UTF-8 text")])
def test_a_file_that_is_none(content: bytes | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(b"\n" + content)
    with pytest.raises(BadFile, match=words) as caught:
        read(path, SCHEMA)
    assert caught.value.problems[0].line == (2 if content else 1)


def test_schemas_are_known_by_name() -> None:
    assert load_schema("dialect")["title"] == "chatproof dialect"


def test_suggestions_are_near_or_none() -> None:
    assert did_you_mean("sesion", ["session", "text"]) == " (did you mean 'session'?)"
    assert did_you_mean("zzz", ["session", "text"]) == ""
