"""The requirements and the rulings: nothing forgotten, nothing cited that does not exist, nothing copied.

A *heading* is a line that names the part of the document below it and says nothing of its own. HEADINGS lists them all
by hand, since the documents are plain text; the documents themselves, where they are at hand, prove the list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chatproof import spec
from chatproof.spec.files import read, read_trusted
from chatproof.spec.load import ROOT

DIALECTS = spec.names()
SOURCES = (*DIALECTS, "web")
DOCUMENTS = Path(__file__).parents[2] / "../shared/documents"

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "guide.txt": (
        "Chat", "Quick Start", "Chat API Endpoint", "POST /chat", "Request Body:", "Example Request:", "Non-Streaming Response:",
        "Streaming Responses (SSE)", "How SSE Works", "Consuming SSE in JavaScript", "Consuming SSE in Python",
        "Session Management", "How Sessions Work", "Managing Sessions", "Session Metadata", "Rate Limiting", "Default Limits",
        "Rate Limit Headers", "Handling Rate Limits", "Error Handling", "Next Steps",
    ),
    "reference-send.txt": (
        "Skip to main content", "POST", "Request Body", "Response 200", "Response Fields", "Example with Metadata", "Errors",
        "Authorizations", "Headers", "Body", "Response",
    ),
    "reference-stream.txt": (
        "Skip to main content", "POST", "Request Body", "Response — Server-Sent Events (SSE)", "Event Types",
        "Client Example — JavaScript", "Client Example — Python", "Errors", "Authorizations", "Body", "Response",
    ),
    "rest.txt": (
        "Deploy Your Agent", "REST API", "Authentication", "Response:", "Send a Message", "Request Parameters",
        "Response (Non-Streaming)", "Response (Streaming)", "Session Management", "Integration Examples", "Python", "Node.js",
        "Streaming (Node.js)", "Rate Limits", "Error Handling", "Best Practices", "On this page",
    ),
    "slug.txt": (
        "Skip to content", "Chat API", "Send Chat Message", "Parameters", "Request Body", "Response", "Success (200):", "Examples",
        "Basic Chat", "Continue Conversation", "Streaming Response", "Error Responses", "400 - Bad Request:",
        "401 - Unauthorized:", "404 - Not Found:", "Finding Your Agent Slug", "Conversation Management", "New Conversation",
        "Streaming Responses", "SSE Format:", "Best Practices",
    ),
}  # fmt: skip

NOT_HEADINGS = {
    "Create an Agent API Key for server-to-server access:",
    "POST /v1/agents/:agent_id/chat",
    "Rate limit headers are included in every response:",
    "Endpoint: POST /chat/{slug}",
    "Successful Response",
}
"""Lines that stand alone as a heading does, but are sentences, endpoints or generated remarks."""

STANDARDS: Mapping[str, Mapping[str, str]] = {
    "WHATWG HTML": {
        "9.2.2": "The EventSource interface",
        "9.2.3": "Processing model",
        "9.2.5": "Parsing an event stream",
        "9.2.6": "Interpreting an event stream",
        "9.2.7": "Authoring notes",
    },
    "RFC 9110": {
        "5.1": "Field Names",
        "5.5": "Field Values",
        "6.6.1": "Date",
        "8.3": "Content-Type",
        "8.3.1": "Media Type",
        "8.6": "Content-Length",
        "10.1.1": "Expect",
        "10.2.1": "Allow",
        "10.2.3": "Retry-After",
        "11.1": "Authentication Scheme",
        "12.5.3": "Accept-Encoding",
        "15": "Status Codes",
        "15.5.2": "401 Unauthorized",
        "15.5.5": "404 Not Found",
        "15.5.6": "405 Method Not Allowed",
        "15.6.4": "503 Service Unavailable",
    },
    "RFC 9112": {
        "3.2": "Request Target",
        "4": "Status Line",
        "5": "Field Syntax",
        "6.1": "Transfer-Encoding",
        "6.2": "Content-Length",
        "6.3": "Message Body Length",
        "7.1": "Chunked Transfer Coding",
        "8": "Handling Incomplete Messages",
        "9.3": "Persistence",
        "9.6": "Tear-down",
    },
    "RFC 6585": {"4": "429 Too Many Requests"},
    "RFC 6750": {
        "3": "The WWW-Authenticate Response Header Field",
        "3.1": "Error Codes",
        "5.3": "Summary of Recommendations",
    },
    "RFC 8259": {
        "2": "JSON Grammar",
        "4": "Objects",
        "6": "Numbers",
        "7": "Strings",
        "8.1": "Character Encoding",
        "8.2": "Unicode Characters",
    },
}

TALLY: Mapping[str, Mapping[str, int]] = {
    "guide": {
        "request": 14, "metadata": 6, "reply": 5, "usage": 7, "stream": 13, "compat": 4, "session": 26,
        "limits": 35, "auth": 6, "agents": 1, "balance": 1, "errors": 13, "contract": 4, "client": 10,
    },
    "reference": {
        "request": 20, "metadata": 5, "reply": 5, "usage": 8, "tools": 8, "stream": 16, "compat": 3, "session":
        22, "limits": 7, "auth": 8, "agents": 3, "balance": 3, "errors": 14, "contract": 4, "client": 3,
    },
    "rest": {
        "request": 11, "reply": 5, "usage": 3, "stream": 14, "compat": 4, "session": 23, "keys": 15, "limits":
        28, "auth": 6, "agents": 1, "balance": 1, "errors": 17, "contract": 4, "client": 5,
    },
    "slug": {
        "request": 13, "reply": 7, "usage": 1, "stream": 12, "session": 22, "limits": 7, "auth": 6, "agents": 6,
        "balance": 1, "errors": 19, "contract": 4, "client": 6,
    },
    "web": {
        "sse": 18, "http": 30, "auth": 5, "json": 10,
    },
}  # fmt: skip
"""Rows by family. Ids are never reused and rows never dropped in passing: who changes a file changes this as well."""

STATUSES = {
    "guide": (200, 400, 401, 404, 429, 500, 503),
    "reference": (200, 401, 402, 404, 422, 429),
    "rest": (400, 401, 404, 429, 500),
    "slug": (400, 401, 404, 429, 500),
}
NUMBERS = {"guide": ("20", "2", "120", "10", "24"), "rest": ("20", "60", "1,000", "10,000")}


def rows(source: str) -> list[dict[str, Any]]:
    data = read_trusted(ROOT / source / "requirements.yaml")
    found: list[dict[str, Any]] = data["requirements"]
    return found


def silent(source: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = read_trusted(ROOT / source / "requirements.yaml").get("silent", [])
    return found


def text_of(name: str) -> str:
    path = DOCUMENTS / name
    if not path.is_file():
        pytest.skip(f"the document {name} is not beside this repository")
    return path.read_text("utf-8")


def spoken(source: str) -> str:
    """All statements of a dialect, as one text to look words up in."""
    return "\n".join(row["statement"] for row in rows(source))


@pytest.mark.parametrize("source", SOURCES)
def test_file_is_valid(source: str) -> None:
    read(ROOT / source / "requirements.yaml", "requirements")


def test_ambiguities_file_is_valid() -> None:
    read(ROOT / "ambiguities.yaml", "ambiguities")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ids_are_unique_and_do_not_clash_with_the_standards(dialect: str) -> None:
    ids = Counter(row.id for row in spec.requirements(spec.dialect(dialect)))
    assert [id for id, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("source", SOURCES)
def test_no_row_has_gone(source: str) -> None:
    assert Counter(row["id"].partition("/")[0] for row in rows(source)) == TALLY[source]


def test_there_are_many_rows() -> None:
    assert sum(len(rows(source)) for source in SOURCES) > 150


@pytest.mark.parametrize("name", HEADINGS)
def test_headings_stand_in_the_document(name: str) -> None:
    """A heading is a whole line; where the text lost a line break it follows the line before without a space."""
    text = text_of(name)
    assert [h for h in HEADINGS[name] if not re.search(rf"(?m)(?:^|(?<=\S)){re.escape(h)}$", text)] == []


@pytest.mark.parametrize("name", [name for name in HEADINGS if name != "guide.txt"])
def test_no_heading_is_forgotten(name: str) -> None:
    """Whatever stands alone between blank lines and looks like a heading is one, or is known not to be. (The guide has no blank lines.)"""
    lines = ["", *text_of(name).split("\n"), ""]
    alone = [line for before, line, after in zip(lines, lines[1:], lines[2:], strict=False) if not before and not after]
    looks = {line for line in alone if re.fullmatch(r"[A-Z0-9].{0,59}(?<!\.)", line)}
    assert looks - set(HEADINGS[name]) - NOT_HEADINGS == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_heading_is_cited_or_silent(dialect: str) -> None:
    documents = spec.dialect(dialect).documents
    headings = {(name, heading) for name in documents for heading in HEADINGS[name]}
    cited = {(row["citation"]["document"], row["citation"]["section"]) for row in rows(dialect)}
    mute = {(row["document"], row["section"]) for row in silent(dialect)}
    assert cited | mute == headings
    assert cited & mute == set()


def test_every_section_of_a_standard_exists_and_is_used() -> None:
    sections = {(name, section) for name, table in STANDARDS.items() for section in table}
    assert {(row["citation"]["document"], row["citation"]["section"]) for row in rows("web")} == sections


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_documented_status_has_a_row(dialect: str) -> None:
    text = spoken(dialect)
    assert [status for status in STATUSES[dialect] if not re.search(rf"\b{status}\b", text)] == []


@pytest.mark.parametrize("dialect", NUMBERS)
def test_every_number_of_a_plan_has_a_row(dialect: str) -> None:
    limits = "\n".join(row["statement"] for row in rows(dialect) if row["id"].startswith(("limits/", "session/")))
    assert [number for number in NUMBERS[dialect] if not re.search(rf"(?<![\d,]){number}(?![\d,])", limits)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_documented_field_has_a_row(dialect: str) -> None:
    """Every name that the dialect's table maps to a role, save the second forms of one, is spoken of somewhere."""
    table, text = spec.dialect(dialect), spoken(dialect)
    shapes = [table.reply.roles, table.request.chat, table.request.keys, *(row.shape.roles for row in table.stream)]
    shapes += [table.key_reply.roles] if table.key_reply else []
    shapes += [row.shape.roles for row in table.errors.values() if row.documented]
    pointers = {at for roles in shapes for ats in roles.values() for at in (ats if len(ats) < 4 else ats[1:2])}
    names = {at.rstrip("0123456789/").rpartition("/")[2] for at in pointers}
    kinds = {str(value) for row in table.stream for value in row.shape.constants.values()}
    literals = {row.literal for row in table.stream if row.literal}
    assert [name for name in sorted(names | kinds | literals) if name not in text] == []


@pytest.mark.parametrize("source", SOURCES)
def test_every_row_is_decided_or_says_why_not(source: str) -> None:
    for row in rows(source):
        reason = row.get("untestable") or "a check decides it"
        assert len(reason.split()) >= 3, row["id"]
        assert row["id"].startswith("client/") <= ("untestable" in row), row["id"]
    for heading in silent(source):
        assert len(heading["reason"].split()) >= 3, heading["section"]


@pytest.mark.parametrize("source", SOURCES)
def test_statements_are_short_sentences(source: str) -> None:
    statements = [row["statement"] for row in rows(source)]
    assert [s for s in statements if len(s) > 160 or "\n" in s or s.endswith(".")] == []
    assert [s for s, times in Counter(statements).items() if times > 1] == []


@pytest.mark.parametrize("source", SOURCES)
def test_contested_rows_only_observe(source: str) -> None:
    """DESIGN 5: a contested point is never a failure, so it is a MAY, and says which ruling it rests on."""
    for row in rows(source):
        if row["evidence"] == "contested":
            assert row["level"] == "MAY", row["id"]
            assert "ambiguity" in row, row["id"]
        assert (row["evidence"] == "inherited") == (source == "web"), row["id"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_statements_are_our_own_words(dialect: str) -> None:
    for name in spec.dialect(dialect).documents:
        theirs = runs(text_of(name), 7)
        for row in rows(dialect):
            assert runs(row["statement"], 7) & theirs == set(), row["id"]


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every run of that many words in a row."""
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_rulings_are_numbered_without_a_gap() -> None:
    ids = [ambiguity.id for ambiguity in spec.ambiguities()]
    assert ids == [f"AMB-{number:02}" for number in range(1, 27)]


def test_rulings_name_packaged_dialects() -> None:
    for ambiguity in spec.ambiguities():
        assert set(ambiguity.dialects) <= set(DIALECTS), ambiguity.id
        assert len(ambiguity.readings) >= 2, ambiguity.id


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rulings_and_rows_agree_on_whom_they_touch(dialect: str) -> None:
    """A dialect's rows rest on its own rulings alone, and each ruling on a dialect has a row of it or of the standards."""
    own = {row["ambiguity"] for row in rows(dialect) if "ambiguity" in row}
    inherited = {row["ambiguity"] for row in rows("web") if "ambiguity" in row}
    touching = {ambiguity.id for ambiguity in spec.ambiguities() if dialect in ambiguity.dialects}
    assert own <= touching
    assert touching <= own | inherited


def test_tables_rest_on_rulings_that_exist() -> None:
    known = {ambiguity.id for ambiguity in spec.ambiguities()}
    for dialect in DIALECTS:
        assert set(re.findall(r"AMB-\d+", (ROOT / dialect / "dialect.yaml").read_text("utf-8"))) <= known
