"""Samples are found in texts that have lost line ends and indentation, and in the documents none is lost."""

from __future__ import annotations

from collections import Counter

import pytest

from .samples import constants, indented, prose, samples
from .stage import printed, text_of

COUNTS = {
    "guide.txt": {"curl": 4, "python": 1, "javascript": 2, "json": 3, "events": 1, "headers": 1},
    "reference-send.txt": {"curl": 2, "json": 3},
    "reference-stream.txt": {"curl": 2, "python": 1, "javascript": 1, "json": 1, "events": 1},
    "rest.txt": {"curl": 4, "python": 1, "javascript": 2, "json": 2, "events": 1, "headers": 1},
    "slug.txt": {"curl": 4, "json": 7, "events": 1},
}
"""Samples printed in each document, by language."""

CODE = (
    "curl -",
    "import httpx",
    "await ",
    "const ",
    "function ",
    '"message": ',
    "Bearer YOUR",
    "data: {",
    "data: [",
    "X-RateLimit-",
)
"""What stands in every sample, and in prose nowhere."""


def found(text: str) -> list[tuple[str, str, str]]:
    return [(one.heading, one.language, one.code) for one in samples("some.txt", text)]


@pytest.mark.parametrize("document", COUNTS)
def test_every_sample_is_found(document: str) -> None:
    assert Counter(one.language for one in printed(document)) == COUNTS[document]


@pytest.mark.parametrize("document", COUNTS)
def test_samples_stand_in_the_document_as_they_are(document: str) -> None:
    text = text_of(document)
    for one in printed(document):
        assert text[one.start :].startswith(one.code)
        assert one.code == one.code.strip()


@pytest.mark.parametrize("document", COUNTS)
def test_what_is_left_is_prose(document: str) -> None:
    left = prose(text_of(document), printed(document))
    assert [mark for mark in CODE if mark in left] == []


@pytest.mark.parametrize("document", COUNTS)
def test_ids_are_unique_and_name_a_heading(document: str) -> None:
    assert max(Counter(one.id for one in printed(document)).values()) == 1
    assert [one.id for one in printed(document) if not one.heading] == []


def test_a_heading_glued_to_a_command() -> None:
    command = 'curl -X POST http://a/b \\\n-H "A: b c" \\\n-d \'{\n"m": "It is"\n}\''
    text = f"First\nIt is sent as follows here:\n{command}Second Part\nProse that is no heading, being long.\n{{\n}}Third\n"
    assert found(text) == [("First", "curl", command), ("Second Part", "json", "{\n}")]


def test_a_command_goes_on_behind_its_body() -> None:
    text = "Some Heading\n\ncurl http://a \\\n  -d '{}' \\\n  --no-buffer\n\nAnother\n"
    assert found(text) == [("Some Heading", "curl", "curl http://a \\\n  -d '{}' \\\n  --no-buffer")]


def test_a_heading_glued_to_a_comment() -> None:
    assert found("Top\n# It knows the pastNext Part\nProse follows here, as it does.\n{\n}") == [
        ("Next Part", "json", "{\n}")
    ]


def test_a_heading_glued_to_a_program() -> None:
    text = "Script\nconst a = await f({\nb: 'c',\n});\nif (a) {\nlog(a);\n}Python\nimport c\nc(\nd=\"E\",\n)End\n"
    assert found(text) == [
        ("Script", "javascript", "const a = await f({\nb: 'c',\n});\nif (a) {\nlog(a);\n}"),
        ("Python", "python", 'import c\nc(\nd="E",\n)'),
    ]


def test_a_program_with_empty_lines_ends_at_a_heading() -> None:
    text = "Python\n\nimport a\n\nB = 1\n\nprint(a.c)\n\nNode.js\n\nconst b = 1;\n\nlog(b);\n\nRate Limits\n\nProse.\n"
    assert found(text) == [
        ("Python", "python", "import a\n\nB = 1\n\nprint(a.c)"),
        ("Node.js", "javascript", "const b = 1;\n\nlog(b);"),
    ]


def test_a_stream_with_a_gap_a_literal_and_a_glued_heading() -> None:
    text = 'Events\ndata: {"a": "}"}\n...\ndata: {"b": {}}\ndata: [DONE]Next\n'
    assert found(text) == [("Events", "events", 'data: {"a": "}"}\n...\ndata: {"b": {}}\ndata: [DONE]')]


def test_header_lines() -> None:
    assert found("Limits\nX-A-B: 1\nX-A-C: 20Next\nProse.") == [("Limits", "headers", "X-A-B: 1\nX-A-C: 20")]


def test_tables_and_sentences_are_no_headings() -> None:
    text = "Fields\n\nname/type\nProUnlimited\n\nEvery reply of this server has it:\n\nGET /some/path\n\n{\n}\n\n"
    text += "More\n\n{\n}\n\n{\n}"
    assert [(one.heading, one.number) for one in samples("some.txt", text)] == [("Fields", 1), ("More", 1), ("More", 2)]


def test_a_sample_without_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="events sample at character 4"):
        samples("some.txt", "Top\ndata: {\n")


def test_lost_blocks_are_indented_again() -> None:
    assert indented("import a\nwith a(\nb=1,\n) as c:\nfor d in c:\nif d:\ne = d\nprint(e)") == (
        "import a\nwith a(\nb=1,\n) as c:\n    for d in c:\n        if d:\n            e = d\n            print(e)"
    )


def test_a_program_that_is_indented_stays_as_it_is() -> None:
    code = "if a:\n    b()\nc()"
    assert indented(code) == code


def test_constants_are_the_lines_in_capitals() -> None:
    assert (
        constants("const A_B = 'c';\nconst d = 1;\n  const E = 2;\nconst F = `g`;")
        == "const A_B = 'c';\nconst F = `g`;"
    )
