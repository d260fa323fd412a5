"""Where requests go: what a base URL may be, and what is said of one that it may not."""

from __future__ import annotations

import pytest

from chatproof.conformance.endpoint import Endpoint


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost", Endpoint("http", "localhost", 80)),
        ("https://Example.COM/v1/", Endpoint("https", "example.com", 443, "/v1")),
        ("http://[::1]:8080/a/b", Endpoint("http", "::1", 8080, "/a/b")),
        ("http://127.0.0.1:65535", Endpoint("http", "127.0.0.1", 65535)),
    ],
)
def test_endpoint(url: str, expected: Endpoint) -> None:
    assert Endpoint.parse(url) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:8080", "scheme"),
        ("", "scheme"),
        ("ftp://h", "scheme"),
        ("http://", "no host"),
        ("http://h:99999", "[Pp]ort"),
        ("http://h:x", "[Pp]ort"),
        ("http://h:0", "port 0"),
        ("http://[::1", "IPv6"),
        ("http://h/?a=b", "query"),
        ("http://h/#x", "fragment"),
        ("http://h /", "ASCII"),
        ("http://h\u00e9/", "ASCII"),
    ],
)
def test_bad_endpoint(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Endpoint.parse(url)


def test_credentials_in_a_url_are_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="credentials") as caught:
        Endpoint.parse("http://user:hunter2@h/")
    assert "hunter2" not in str(caught.value)


def test_authority() -> None:
    urls = ["http://h", "http://h:8080", "https://[::1]", "https://h:80"]
    assert [Endpoint.parse(url).authority for url in urls] == ["h", "h:8080", "[::1]", "h:80"]
