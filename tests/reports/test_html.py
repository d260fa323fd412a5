from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from chatproof.reports.html import _share as share
from chatproof.reports.html import render

from .conftest import BODY

Json = dict[str, Any]
Make = Callable[..., Json]
VOID = ("meta", "input")


class Page(HTMLParser):
    """The elements of a page in order, each with its attributes, its text, and whether every tag was closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attrs)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.elements]


@pytest.mark.slow
def test_every_requirement_is_an_element_of_its_own(several: Json) -> None:
    page = Page(render(several))
    assert page.open == []
    rows = [attrs for name, attrs in page.elements if attrs.get("class") == "requirement"]
    assert [attrs["id"] for attrs in rows] == [
        f"{run['dialect']}/{row['id']}" for run in several["runs"] for row in run["requirements"]
    ]
    assert [attrs["data-outcome"] for attrs in rows] == [
        row["outcome"] for run in several["runs"] for row in run["requirements"]
    ]


@pytest.mark.slow
def test_names_are_unique_and_links_lead_to_them(several: Json, run: Make) -> None:
    several["runs"].append(run())
    page = Page(render(several))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] or "" for _, attrs in page.elements if "href" in attrs]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_page_loads_nothing(run: Make) -> None:
    text = render(run())
    assert not {"link", "img", "iframe", "object"} & set(Page(text).names)
    assert not any("src" in attrs for _, attrs in Page(text).elements)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", text)


def test_only_our_own_style_and_script_may_run(run: Make) -> None:
    page = Page(render(run()))
    policy = next(attrs["content"] or "" for name, attrs in page.elements if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    for name in ("style", "script"):
        assert page.names.count(name) == 1
        digest = base64.b64encode(hashlib.sha256("".join(page.text[name]).encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert not any(key == "style" or key.startswith("on") for _, attrs in page.elements for key in attrs)


def test_what_a_target_sent_makes_no_elements(run: Make, row: Make, finding: Make) -> None:
    def page(text: str) -> Page:
        said = finding(expected=text, got=text, window=text, curl=text, exchange=text)
        return Page(render(run([row("fail", statement=text, reason=text, findings=[said])], target=text, reason=text)))

    hostile = "</pre></title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"' $body ${body} &lt;"
    assert page(hostile).names == page("harmless").names
    assert hostile in page(hostile).text["pre"]


def test_failures_are_unfolded_and_linked_from_the_top(run: Make) -> None:
    page = Page(render(run()))
    opened = [attrs["id"] for _, attrs in page.elements if attrs.get("class") == "requirement" and "open" in attrs]
    assert opened == ["guide/stream/fail", "guide/stream/error"]
    links = [attrs["href"] for _, attrs in page.elements if "href" in attrs]
    assert links.index("#guide/stream/fail") < links.index("#guide/stream/pass")


def test_controls_have_names(run: Make) -> None:
    for name, attrs in Page(render(run())).elements:
        if name in ("input", "select"):
            assert attrs.get("aria-label"), (name, attrs)
        if name == "button" and attrs.get("data-kind"):
            assert attrs["aria-pressed"] == "false"


def test_what_stands_on_the_wire_is_set_as_code(run: Make, row: Make) -> None:
    text = render(run([row("fail", statement="A `<b>` in ` lone tick")]))
    assert "A <code>&lt;b&gt;</code> in ` lone tick" in text


@pytest.mark.slow
def test_every_target_is_named(several: Json) -> None:
    several["runs"][1]["target"] = "http://127.0.0.1:9999/other"
    assert {"http://127.0.0.1:8080", "http://127.0.0.1:9999/other"} <= set(Page(render(several)).text["code"])


@pytest.fixture
def proved(run: Make, row: Make, finding: Make, exchange: Make) -> Json:
    """A failure with its exchange, one at no byte in the same exchange, and one whose exchange the report does not hold."""
    rows = [
        row("fail", "sse/blank-line"),
        row("fail", "sse/also", findings=[finding(got="the same byte")]),
        row(
            "fail",
            "limits/header",
            findings=[finding(offset=None, window=None), finding(offset=None, exchange="ex-9999")],
        ),
    ]
    return run(rows, exchanges=[exchange()])


def test_a_finding_shows_its_bytes_and_leads_to_its_exchange(proved: Json) -> None:
    page = Page(render(proved))
    assert page.text["mark"][:2] == [f"{BODY[181]:02x}", chr(BODY[181])]
    links = [attrs["href"] for _, attrs in page.elements if "href" in attrs]
    assert "#guide/ex-0007" in links
    assert "#guide/ex-9999" not in links
    assert [attrs["id"] for _, attrs in page.elements if attrs.get("id") == "guide/ex-0007"] == ["guide/ex-0007"]


def test_an_exchange_is_told_whole_and_once(proved: Json) -> None:
    text = render(proved)
    assert text.count("POST /guide/chat HTTP/1.1") == 1
    assert "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nX-Twice: 1\nX-Twice: 2" in text


def test_a_stream_has_a_strip_with_words_for_those_who_do_not_see_it(proved: Json) -> None:
    strips = [attrs for name, attrs in Page(render(proved)).elements if name == "svg" and attrs.get("role") == "img"]
    assert strips
    assert "3 reads, 320 bytes" in (strips[0]["aria-label"] or "")


def test_what_the_same_byte_breaks_stands_together(proved: Json) -> None:
    text = render(proved)
    first = text[text.index('id="what-broke"') :].partition("</li>")[0]
    assert "guide/sse/blank-line" in first
    assert "guide/sse/also" in first
    assert "guide/limits/header" not in first


def test_what_breaks_in_several_runs_stands_together(run: Make, row: Make, finding: Make) -> None:
    runs = [run([row("fail", "auth/x", findings=[finding(offset=None)])], dialect=name) for name in ("rest", "slug")]
    text = render({"chatproof": "0.1.0", "kind": "verifications", "runs": runs})
    first = text[text.index('id="what-broke"') :].partition("</li>")[0]
    assert "rest/auth/x" in first
    assert "slug/auth/x" in first


def test_the_three_numbers_are_told_apart(run: Make, row: Make) -> None:
    rows = [*(row("pass", f"a/p-{n}") for n in range(8)), row("fail"), row("warn"), row("untestable"), row("observed")]
    text = render(run(rows, requests=1234))
    assert "88.9 %" in text
    assert "8 of 9 decided MUSTs kept" in text
    assert "83.3 %" in text
    assert "10 of 12 requirements decided" in text
    assert "1,234" in text


def test_a_share_is_whole_only_where_nothing_is_missing() -> None:
    assert share((5_000, 5_001)) == "99.9 %"
    assert (share((3, 3)), share((0, 0))) == ("100 %", "none")


def test_several_runs_have_a_matrix_worst_first(run: Make, row: Make) -> None:
    one = run([row("pass", "a/one"), row("pass", "a/two")], target="http://one")
    two = run([row("pass", "a/one"), row("fail", "a/two")], target="http://two")
    text = render({"chatproof": "0.1.0", "kind": "verifications", "runs": [one, two]})
    table = text[text.index("<tbody>") : text.index("</tbody>")]
    assert table.index("a/two") < table.index("a/one")
    assert 'href="#guide-2/a/two"' in table
    assert "<table>" not in render(one)


def test_why_and_how_are_explained(run: Make) -> None:
    text = render(run())
    assert "Over all streams of the run: every event ends with a blank line." in text
    assert "Which is it?" in text
    assert "<code>chatproof explain stream/fail</code>" in text


@pytest.mark.slow
def test_a_page_grows_with_what_broke_and_not_with_the_run(run: Make, row: Make, finding: Make, exchange: Make) -> None:
    """Five hundred failures that cite two hundred exchanges with long bodies: a page that a browser still opens at once."""
    told = [exchange(id=f"ex-{n:04}") for n in range(200)]
    rows = [row("fail", f"stream/case-{n}", findings=[finding(exchange=f"ex-{n % 200:04}")] * 5) for n in range(500)]
    assert len(render(run(rows, exchanges=told, requests=10_000))) < 4_000_000
