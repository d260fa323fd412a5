from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from chatproof.reports.html import render
from chatproof.reports.markup import Markup, join, tag

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


def test_markup_escapes_all_that_is_not_markup() -> None:
    assert tag("p", "<b>", Markup("<i>x</i>"), None, title='"<', hidden=True, open=False) == (
        '<p title="&quot;&lt;" hidden>&lt;b&gt;<i>x</i></p>'
    )
    assert join("a\x00\n", tag("input", class_="c", aria_label="n")) == 'a\\x00\n<input class="c" aria-label="n">'
