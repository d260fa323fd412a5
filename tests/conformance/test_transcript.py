"""Transcripts come back as they were written, without the secrets, and a broken file is noticed."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproof.conformance.exchange import Chunk, End, Exchange, Request
from chatproof.conformance.transcript import Transcript, dump, load, redact
from chatproof.spec import BadFile

CANARY = 'sk-"canary"/0123456789'
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
STREAM = HEAD + b"\r\n9\r\ndata: x\n\n\r\n0\r\n\r\n"


def exchange(*reads: bytes, request: Request | None = None) -> Exchange:
    chunks = tuple(Chunk(10**15 + index, data) for index, data in enumerate(reads))
    request = request or Request("POST", "/chat", (("Content-Type", "application/json"),), b"{}")
    asked = {"step": "good", "set": {"agent": None}, "stream": True, "omit": ["message"]}
    return Exchange("ex-0001", "good", request, 1767225600.123456, 5, chunks, End.COMPLETE, "word", asked)


def through(path: Path, *transcripts: Transcript, secrets: tuple[str, ...] = ()) -> tuple[Transcript, ...]:
    dump(transcripts, path, secrets)
    return load(path)


def everything_in(path: Path) -> bytes:
    """The file, and every base64 text in it decoded."""
    decoded: list[bytes] = [path.read_bytes()]

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "base64" in value:
                decoded.append(base64.b64decode(str(value["base64"])))
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, str):
            decoded.append(value.encode("utf-8", "surrogatepass"))

    for line in path.read_bytes().splitlines():
        walk(json.loads(line))
    return b"\n".join(decoded)


def test_round_trip(tmp_path: Path) -> None:
    transcripts = (
        Transcript("hello", (exchange(STREAM[:20], STREAM[20:]), exchange())),
        Transcript("empty", ()),
        Transcript("hello", (exchange(b"\xff\x00\xe2", b"\x80\xa8\r\n\x85"),)),
    )
    assert through(tmp_path / "t.jsonl", *transcripts) == transcripts
    assert through(tmp_path / "t.jsonl") == ()


@pytest.mark.slow
@given(
    st.lists(st.binary(max_size=20), max_size=4),
    st.binary(max_size=20),
    st.text(max_size=8),
    st.sampled_from(list(End)),
)
def test_any_bytes_come_back(
    tmp_path_factory: pytest.TempPathFactory, reads: list[bytes], body: bytes, text: str, end: End
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    request = Request("GET", f"/{text}", ((text, text),), body)
    one = replace(exchange(*reads, request=request), end=end, label=text)
    assert through(path, Transcript(text, (one,))) == (Transcript(text, (one,)),)


def test_a_lone_surrogate_in_what_was_asked(tmp_path: Path) -> None:
    one = Transcript("s", (replace(exchange(), asked={"message": "\ud800 \u2028"}),))
    assert through(tmp_path / "t", one, secrets=("x",)) == (one,)


def test_what_is_judged_stays_the_same(tmp_path: Path) -> None:
    ((back,),) = (t.exchanges for t in through(tmp_path / "t", Transcript("s", (exchange(STREAM),)), secrets=("zzz",)))
    assert back.stream == exchange(STREAM).stream
    assert back.response == exchange(STREAM).response


FORMS = [CANARY.encode(), json.dumps(CANARY)[1:-1].encode(), b"sk-%22canary%22%2F0123456789"]


def secretive() -> Exchange:
    """A canary everywhere: split over reads, over chunks, in JSON and URL form, in headers, bodies and words of ours."""
    plain = FORMS[0]
    chunked = b"8\r\ndata: %b\r\n%x\r\n%b\r\n0\r\n\r\n" % (plain[:2], len(plain) - 2, plain[2:])
    raw = HEAD + b"X-Echo: " + plain + b"\r\n\r\n" + chunked
    middle = raw.index(plain) + 5
    request = Request(
        "POST",
        "/chat?key=" + FORMS[2].decode(),
        (("Authorization", f"Bearer {CANARY}"), ("X-Other", CANARY), ("x-api-key", "unlisted")),
        json.dumps({"message": CANARY}).encode(),
    )
    whole = exchange(raw[:middle], raw[middle:], request=request)
    return replace(whole, label=f"with {CANARY}", detail=CANARY, asked={"message": [CANARY], CANARY: 1})


def test_no_secret_is_written(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    before = secretive()
    ((after,),) = (t.exchanges for t in through(path, Transcript(CANARY, (before,)), secrets=("", "short", CANARY)))
    written = everything_in(path)
    for part in (*FORMS, b"canary", b"0123456789", b"unlisted"):
        assert part not in written
    mask = (after.request.header("authorization") or "").removeprefix("Bearer ")
    assert (len(mask), mask[0]) == (len(CANARY), "*")
    assert [len(read.data) for read in after.reads] == [len(read.data) for read in before.reads]
    assert len(after.body) == len(before.body)
    assert after.body == b"data: " + mask.encode()
    assert after.problems == before.problems


def test_masks_tell_secrets_apart_and_keep_a_documented_prefix() -> None:
    words = ("ak_0123456789abcdef", "ak_fedcba9876543210", "sk-0123456789")
    request = Request("POST", "/", (("Authorization", f"Bearer {words[0]}"),), " ".join(words).encode())
    masked = redact(Exchange("e", "e", request, 0.0, 0, (), End.COMPLETE), words).request
    first, second, third = masked.body.decode().split()
    assert first.startswith("ak_*")
    assert second.startswith("ak_*")
    assert third.startswith("*")
    assert len({first, second, third}) == 3
    assert masked.header("authorization") == f"Bearer {first}"


def test_the_canary_test_can_fail(tmp_path: Path) -> None:
    dump([Transcript("s", (secretive(),))], tmp_path / "t", ())
    assert b"canary" in everything_in(tmp_path / "t")


def test_authorization_is_masked_without_being_named_a_secret() -> None:
    headers = (
        ("authorization", "Bearer abc"),
        ("Authorization", "sk-naked key"),
        ("Proxy-Authorization", "Basic eA=="),
    )
    redacted = redact(exchange(request=Request("GET", "/", headers)), ())
    values = [value for _, value in redacted.request.headers]
    assert values == ["Bearer ***", "*" * 12, "Basic ****"]


def test_a_secret_inside_a_coded_body_masks_the_body() -> None:
    packed = gzip.compress(CANARY.encode() * 3, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    after = redact(exchange(head + packed), (CANARY,))
    assert after.body == b"*" * len(packed)
    assert redact(exchange(head + packed), ("other",)).body == packed


def lines(tmp_path: Path) -> list[bytes]:
    dump([Transcript("a", (exchange(STREAM),)), Transcript("b", (exchange(STREAM),))], tmp_path / "t", ())
    return (tmp_path / "t").read_bytes().splitlines(keepends=True)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    whole = b"".join(lines(tmp_path))
    path = tmp_path / "cut"
    for size in range(0, len(whole) - 1, 31):
        path.write_bytes(whole[:size])
        with pytest.raises(BadFile, match=r"cut:[0-9]+:1: "):
            load(path)


def test_every_missing_or_doubled_line_is_noticed(tmp_path: Path) -> None:
    rows = lines(tmp_path)
    for index in range(len(rows)):
        for mutant in (rows[:index] + rows[index + 1 :], [*rows[: index + 1], *rows[index:]]):
            (tmp_path / "bad").write_bytes(b"".join(mutant))
            with pytest.raises(BadFile):
                load(tmp_path / "bad")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"format": 1', b'"format": 2', r"t:1:1: format 2; this version reads format 1"),
        (b'"transcript": "chatproof"', b'"transcript": "x"', "not a transcript"),
        (b'"end": "complete"', b'"end": "gone"', "t:3:1: not an exchange: 'gone'"),
        (b'"sent_ns": 5, ', b"", "t:3:1: an exchange without 'sent_ns'"),
        (b'"exchanges": 1}', b'"exchanges": "1"}', "t:2:1: expected a count of exchanges, got '1'"),
        (b'"exchanges": 2}', b'"exchanges": 3}', "the footer counts otherwise"),
    ],
)
def test_bad_files_say_where(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    whole = b"".join(lines(tmp_path))
    assert old in whole
    (tmp_path / "t").write_bytes(whole.replace(old, new, 1))
    with pytest.raises(BadFile, match=message):
        load(tmp_path / "t")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        load(tmp_path / "none")
