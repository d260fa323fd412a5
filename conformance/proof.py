"""The exchanges that findings cite, as plain data: a report proves by itself what it says, without the transcripts.

Bounded: of a long body the beginning, the end and what stands around each finding is told, and of a whole run at most
``MOST`` bytes. Everything is masked first, by masks that keep their length, so that offsets stay true.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from .check import Finding
from .endpoint import Endpoint, encode
from .exchange import Exchange
from .response import Response
from .run import Run
from .transcript import mask, redact

MS = 1_000_000
BEGINNING, ENDING, AROUND = 4096, 512, 512
"""Bytes told of a long body: its beginning, its end, and on either side of a finding."""
READS = 512
"""Reads told of one exchange: the first of them, and the last."""
MOST = 1 << 20
"""Bytes of bodies told of one run; exchanges beyond are named, and their bodies counted."""


def exchanges(run: Run, secrets: Sequence[str]) -> list[dict[str, Any]]:
    """Every exchange that a finding of this run cites, once, in the order of the run."""
    offsets: dict[str, set[int]] = {}
    for finding in _findings(run):
        if finding.seen is not None:
            known = offsets.setdefault(finding.seen.exchange.id, set())
            known.update(() if finding.offset is None else (finding.offset,))
    left = MOST
    told = []
    for scenario, exchange in _recorded(run):
        if exchange.id in offsets:
            proof = _exchange(exchange, scenario, run.profile.base_url, sorted(offsets.pop(exchange.id)), left, secrets)
            left -= sum(len(piece["data"]) * 3 // 4 for bytes_ in _bodies(proof) for piece in bytes_["slices"])
            told.append(proof)
    return told


def _findings(run: Run) -> Iterator[Finding]:
    return (finding for row in run.judged for finding in row.findings)


def _recorded(run: Run) -> Iterator[tuple[str, Exchange]]:
    """The exchanges with their scenarios; then those that findings cite and no transcript holds."""
    for transcript in run.evidence.transcripts:
        yield from ((transcript.scenario, exchange) for exchange in transcript.exchanges)
    yield from (("", finding.seen.exchange) for finding in _findings(run) if finding.seen is not None)


def _bodies(proof: dict[str, Any]) -> Iterator[dict[str, Any]]:
    response = proof["response"] or {}
    return (found for found in (proof["request"]["bytes"], proof["raw"], response.get("body")) if found is not None)


def _exchange(
    whole: Exchange, scenario: str, base_url: str, offsets: Sequence[int], left: int, secrets: Sequence[str]
) -> dict[str, Any]:
    exchange = redact(whole, secrets)
    response = exchange.response
    sent = mask(encode(Endpoint.parse(base_url), exchange.request), secrets)
    return {
        "id": exchange.id,
        "label": exchange.label,
        "scenario": scenario,
        "sent": datetime.fromtimestamp(exchange.sent_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request": {
            "method": exchange.request.method,
            "target": exchange.request.target,
            "bytes": _bytes(sent, (), left),
        },
        "response": None if response is None else _response(response, offsets, left),
        "raw": _bytes(exchange.raw, _raw_offsets(exchange), left) if exchange.problems or response is None else None,
        "reads": _reads(exchange, response),
        "end": exchange.end.value,
        "detail": exchange.detail,
        "hung_up": exchange.hung_up,
    }


def _response(response: Response, offsets: Sequence[int], left: int) -> dict[str, Any]:
    return {
        "version": response.version,
        "status": response.status,
        "reason": response.reason,
        "headers": [[name, value] for name, value in response.headers],
        "body": _bytes(response.content, offsets, left),
        "chunks": [chunk.body_offset for chunk in response.chunks[:READS]] if _framed(response) else [],
    }


def _framed(response: Response) -> bool:
    """Whether the target's own chunks can be told, and stand in the content as they stood in the body."""
    return response.delimiter == "chunked" and response.coding is None


def _raw_offsets(exchange: Exchange) -> list[int]:
    return [problem.offset for problem in exchange.problems]


def _reads(exchange: Exchange, response: Response | None) -> list[dict[str, Any]]:
    """When each read came, its size, and how much of the content was there after it (``None`` if a coding hides that)."""
    ends = list(accumulate(len(read.data) for read in exchange.reads))
    every = list(zip(exchange.reads, ends, strict=True))
    coded = response is not None and response.coding is not None
    return [
        {
            "at_ms": round((read.at_ns - exchange.sent_ns) / MS, 3),
            "size": len(read.data),
            "body": None if response is None or coded else _body_at(response, end),
        }
        for read, end in (every if len(every) <= READS else [*every[: READS - 1], every[-1]])
    ]


def _body_at(response: Response, raw: int) -> int:
    """How many bytes of the body stand before that offset of the raw bytes."""
    found = 0
    for chunk in response.chunks:
        if chunk.raw_offset >= raw:
            break
        found = chunk.body_offset + min(chunk.size, raw - chunk.raw_offset)
    return found


def _bytes(data: bytes, offsets: Iterable[int], left: int) -> dict[str, Any]:
    """The size, and the slices that are told: all, or the beginning, the end and what surrounds ``offsets``."""
    spans: list[tuple[int, int]] = []
    if len(data) <= BEGINNING + ENDING:
        wanted = [(0, len(data))]
    else:
        around = ((max(0, at - AROUND), min(len(data), at + AROUND)) for at in offsets)
        wanted = sorted([(0, BEGINNING), (len(data) - ENDING, len(data)), *around])
    for start, end in wanted:
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif start < end:
            spans.append((start, end))
    if sum(end - start for start, end in spans) > left:
        spans = []
    slices = [{"at": start, "data": base64.b64encode(data[start:end]).decode("ascii")} for start, end in spans]
    return {"size": len(data), "slices": slices}
