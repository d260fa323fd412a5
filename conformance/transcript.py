"""The exchanges of a run as a file: JSON Lines, for people to read and for ``judge`` to judge again.

First a header with the format's version, then for each scenario a line with its name and its exchanges, one a line, and
last a footer with the counts, so that a file that was cut off is noticed. Bytes are text where they are UTF-8, else base64.

Secrets are masked when written, never later, and keep their length: offsets into a transcript stay true.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets as secrets_of_the_system
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..spec.files import BadFile, Problem
from .exchange import CREDENTIAL_HEADERS, Chunk, End, Exchange, Request, split_credential

FORMAT = 1
MASK = "*"
PREFIX = re.compile(rb"[a-z]{2}_(?=.{8})")
SALT, TAG_SIZE = secrets_of_the_system.token_bytes(16), 3
TAGGED = re.compile(rf"^(?:[a-z]{{2}}_)?\*[0-9a-f]{{{2 * TAG_SIZE}}}\**$")


@dataclass(frozen=True)
class Transcript:
    """The exchanges of one scenario, in the order in which they ended."""

    scenario: str
    exchanges: tuple[Exchange, ...]


def dump(
    transcripts: Iterable[Transcript],
    path: Path | str,
    secrets: Sequence[str] = (),
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a transcript file, without the secrets and without anybody's ``Authorization``.

    ``about``: plain data on the run for the header, from which ``judge`` knows the dialect and the profile.
    """
    mask = _masker(secrets)
    scenarios = exchanges = 0
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:

        def write(record: dict[str, Any]) -> None:
            file.write(_line(record))

        write({"transcript": "chatproof", "format": FORMAT, "about": _plain(mask, dict(about or {}))})
        for transcript in transcripts:
            scenarios += 1
            exchanges += len(transcript.exchanges)
            write({"scenario": _text(mask, transcript.scenario), "exchanges": len(transcript.exchanges)})
            for exchange in transcript.exchanges:
                write(_record(redact(exchange, secrets)))
        write({"scenarios": scenarios, "exchanges": exchanges})


def redact(exchange: Exchange, secrets: Sequence[str]) -> Exchange:
    """The same exchange with every secret replaced by as many ``*``, wherever it stands: also across reads and chunks."""
    mask = _masker(secrets)
    request = exchange.request
    return replace(
        exchange,
        label=_text(mask, exchange.label),
        request=Request(
            request.method,
            _text(mask, request.target),
            tuple((name, _credential(name, _text(mask, value))) for name, value in request.headers),
            mask(request.body),
            request.version,
            request.without,
        ),
        reads=tuple(_reads(exchange, mask)),
        detail=_text(mask, exchange.detail),
        asked=_plain(mask, dict(exchange.asked)),
    )


def load(path: Path | str) -> tuple[Transcript, ...]:
    """Read a transcript file; ``BadFile`` (``file:line:column: message``) if it is none, of another format, or cut off."""
    reader = _Reader(Path(path))
    reader.header()
    transcripts: list[Transcript] = []
    while "scenario" in (record := reader.next("a scenario or the footer")):
        count = reader.count(record, "exchanges")
        exchanges = tuple(reader.exchange() for _ in range(count))
        transcripts.append(Transcript(str(record["scenario"]), exchanges))
    total = sum(len(transcript.exchanges) for transcript in transcripts)
    if (reader.count(record, "scenarios"), reader.count(record, "exchanges")) != (len(transcripts), total):
        raise reader.bad(f"the footer counts otherwise: {len(transcripts)} scenarios and {total} exchanges were read")
    reader.finish()
    return tuple(transcripts)


def about(path: Path | str) -> dict[str, Any]:
    """What the header of a transcript file says of the run; ``BadFile`` if it is no transcript file."""
    found = _Reader(Path(path)).header().get("about", {})
    return found if isinstance(found, dict) else {}


Mask = Callable[[bytes], bytes]


def mask(data: bytes, secrets: Sequence[str]) -> bytes:
    """Bytes with every secret replaced as ``redact`` replaces it."""
    return _masker(secrets)(data)


def _masker(secrets: Sequence[str]) -> Mask:
    """Finds a secret as it is, as it stands in JSON text, and percent-encoded; the longest first. What is masked already stays."""
    forms = {
        form
        for secret in secrets
        if secret and not TAGGED.search(secret)
        for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))
    }
    if not forms:
        return lambda data: data
    words = sorted((form.encode("utf-8", "surrogatepass") for form in forms), key=len, reverse=True)
    pattern = re.compile(b"|".join(map(re.escape, words)))
    return lambda data: pattern.sub(lambda match: _tag(match[0]), data)


def _tag(word: bytes) -> bytes:
    """A mask of the same length, the same for the same secret and for no other, so that checks still tell keys apart.

    A documented kind of prefix (``ak_``) stays: it is no part of the secret. The salt is forgotten with the process.
    """
    kind = PREFIX.match(word)
    shown = kind[0] if kind is not None else b""
    digest = hashlib.blake2b(word, key=SALT, digest_size=TAG_SIZE).hexdigest().encode()
    return (shown + MASK.encode() + digest).ljust(len(word), MASK.encode())[: len(word)]


def _text(mask: Mask, text: str) -> str:
    return mask(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _plain(mask: Mask, value: Any) -> Any:
    """JSON data with its strings masked."""
    if isinstance(value, str):
        return _text(mask, value)
    if isinstance(value, dict):
        return {_text(mask, name): _plain(mask, item) for name, item in value.items()}
    return [_plain(mask, item) for item in value] if isinstance(value, list | tuple) else value


def _credential(name: str, value: str) -> str:
    if name.lower() not in CREDENTIAL_HEADERS:
        return value
    scheme, credential = split_credential(value)
    return scheme + credential if TAGGED.search(credential) else scheme + MASK * len(credential)


def _reads(exchange: Exchange, mask: Mask) -> Iterator[Chunk]:
    """The reads with their sizes and times, masked in the raw bytes and in the body as the chunks put it together."""
    raw = bytearray(mask(exchange.raw))
    response = exchange.response
    if response is not None:
        if response.coding is not None and mask(response.content) != response.content:
            body = MASK.encode() * len(response.body)
        else:
            body = mask(response.body)
        for chunk in response.chunks if body != response.body else ():
            raw[chunk.raw_offset : chunk.raw_offset + chunk.size] = body[
                chunk.body_offset : chunk.body_offset + chunk.size
            ]
    at = 0
    for read in exchange.reads:
        yield Chunk(read.at_ns, bytes(raw[at : at + len(read.data)]))
        at += len(read.data)


def _line(record: dict[str, Any]) -> str:
    """Readable where it can be; escaped where a lone surrogate cannot be UTF-8."""
    text = json.dumps(record, ensure_ascii=False)
    return (text if text.isascii() or _encodable(text) else json.dumps(record)) + "\n"


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _record(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    return {
        "id": exchange.id,
        "label": exchange.label,
        "asked": exchange.asked,
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "body": _from_bytes(request.body),
            "version": request.version,
            "without": request.without,
        },
        "sent_at": exchange.sent_at,
        "sent_ns": exchange.sent_ns,
        "end": exchange.end.value,
        "detail": exchange.detail,
        "hung_up": exchange.hung_up,
        "body_ns": exchange.body_ns,
        "reads": [[read.at_ns, _from_bytes(read.data)] for read in exchange.reads],
    }


def _exchange(record: dict[str, Any]) -> Exchange:
    request = record["request"]
    return Exchange(
        id=record["id"],
        label=record["label"],
        request=Request(
            request["method"],
            request["target"],
            tuple((name, value) for name, value in request["headers"]),
            _to_bytes(request["body"]),
            request["version"],
            tuple(request["without"]),
        ),
        sent_at=float(record["sent_at"]),
        sent_ns=int(record["sent_ns"]),
        reads=tuple(Chunk(int(at_ns), _to_bytes(data)) for at_ns, data in record["reads"]),
        end=End(record["end"]),
        detail=record["detail"],
        asked=dict(record["asked"]),
        hung_up=record.get("hung_up"),
        body_ns=record.get("body_ns"),
    )


def _from_bytes(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _to_bytes(data: str | dict[str, str]) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else base64.b64decode(data["base64"], validate=True)


class _Reader:
    """The records of a file, one at a time, and where we are in it."""

    def __init__(self, path: Path) -> None:
        self.path, self.line = path, 0
        try:
            self._lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise BadFile(path, [Problem(1, 1, f"cannot be read: {error.strerror or error}")]) from None

    def bad(self, message: str) -> BadFile:
        return BadFile(self.path, [Problem(max(self.line, 1), 1, message)])

    def next(self, expected: str) -> dict[str, Any]:
        self.line += 1
        if self.line > len(self._lines) or not self._lines[self.line - 1]:
            raise self.bad(f"the file ends here; expected {expected}. It was cut off, or never finished")
        try:
            record = json.loads(self._lines[self.line - 1])
        except ValueError as error:
            raise self.bad(f"expected {expected}, got no JSON: {error}") from None
        if not isinstance(record, dict):
            raise self.bad(f"expected {expected}, got {type(record).__name__}")
        return record

    def header(self) -> dict[str, Any]:
        header = self.next("the header")
        if header.get("transcript") != "chatproof":
            raise self.bad("not a transcript of chatproof")
        if header.get("format") != FORMAT:
            raise self.bad(f"format {header.get('format')!r}; this version reads format {FORMAT}")
        return header

    def count(self, record: dict[str, Any], name: str) -> int:
        value = record.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.bad(f"expected a count of {name}, got {value!r}")
        return value

    def exchange(self) -> Exchange:
        record = self.next("an exchange")
        try:
            return _exchange(record)
        except KeyError as error:
            raise self.bad(f"an exchange without {error}") from None
        except (TypeError, ValueError) as error:
            raise self.bad(f"not an exchange: {error}") from None

    def finish(self) -> None:
        self.line += 1
        if any(self._lines[self.line - 1 :]):
            raise self.bad("something follows the footer")
