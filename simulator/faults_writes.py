"""Further ways to frame the same bytes: where writes and chunks are cut, and what chunks may carry (RFC 9112, 7.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from . import chunks
from .fault import Fault, Given, Kind
from .faults_bytes import in_head, streams
from .layers import body, least
from .parameter import Parameter
from .places import INSIDE, inside, wire_of
from .plan import LAST_CHUNK, Layer, Message, Plan, Write

EXTENSION = b";cut=here"
TRAILER = b"0\r\nX-Chatproof-Trailer: here\r\n\r\n"
MORE = 0x40
"""How many bytes a short chunk lacks."""


def cut_pieces(where: Callable[[bytes, int], list[int]]) -> Layer:
    """Every piece of a stream cut at those offsets; each part is a chunk and a write of its own.

    ``where`` is told how many bytes a part has to have on average, so that there are not too many.
    """

    def message(plain: Message) -> Message:
        parts, fewest = [], least(plain.pieces)
        for piece in plain.pieces:
            cuts = [0, *where(piece.data, fewest), len(piece.data)]
            parts += [Write(piece.due_s, piece.data[a:b]) for a, b in pairwise(cuts) if a < b]
        made = body(plain, parts)
        return made if made.pieces == plain.pieces else replace(made, apart=True)

    return Layer(message=message)


def _torn(given: Given) -> Layer:
    return cut_pieces(lambda data, fewest: inside(data, given.values["at"])[::fewest])


def _by_bytes(given: Given) -> Layer:
    def where(data: bytes, fewest: int) -> list[int]:
        size = max(fewest, given.values["bytes"])
        return list(range(size, len(data), size))

    return cut_pieces(where)


def _at_random(given: Given) -> Layer:
    """Each part has between one byte and twice the mean, less one."""
    drawn = 0

    def where(data: bytes, fewest: int) -> list[int]:
        nonlocal drawn
        mean, cuts = max(fewest, given.values["bytes"]), [0]
        while cuts[-1] < len(data):
            drawn += 1
            cuts.append(cuts[-1] + 1 + int(given.draw(drawn) * (2 * mean - 1)))
        return cuts[1:-1]

    return cut_pieces(where)


def sized(change: Callable[[bytes, bool], bytes]) -> Callable[[Plan], Plan]:
    """Another size line for the chunks of a plan that have data; ``change`` is told whether it is the last of those."""

    def plan(plain: Plan) -> Plan:
        wire = wire_of(plain)
        lines = deque(chunks.size_lines(wire)[:-1])
        made, at = [], 0
        for write in plain.writes:
            parts, stop = [], at + len(write.data)
            while lines and lines[0][0] < stop:
                first, behind = lines.popleft()
                parts += [wire[at:first], change(wire[first:behind], not lines)]
                at = behind
            made.append(Write(write.due_s, b"".join((*parts, wire[at:stop]))))
            at = stop
        return plain._replace(writes=tuple(made))

    return plan


def _short(plain: Plan) -> Plan:
    longer = sized(lambda size, last: b"%x" % (int(size, 16) + MORE) if last else size)(plain)
    *rest, last = longer.writes
    return longer._replace(writes=(*rest, Write(last.due_s, last.data.removesuffix(LAST_CHUNK))), end="close")


def _trailers(plain: Plan) -> Plan:
    *rest, last = plain.writes
    return plain._replace(writes=(*rest, Write(last.due_s, last.data.removesuffix(LAST_CHUNK) + TRAILER)))


def _both_lengths(plain: Plan) -> Plan:
    change = in_head(rb"Transfer-Encoding: chunked", lambda found: found[0] + b"\r\nContent-Length: 10").plan
    assert change is not None
    return change(plain)._replace(end="close")


def _fault(name: str, kind: Kind, breaks: str, how: Layer | Callable[[Given], Layer], *parameters: Parameter) -> Fault:
    layer, make = (how, None) if isinstance(how, Layer) else (Layer(), how)
    return Fault(name, "framing", (breaks,), layer, kind, parameters, make)


FAULTS: tuple[Fault, ...] = (
    _fault("torn-writes", "legal", "a read ends where an event ends", _torn,
        Parameter("at", "line", "what every cut is inside of", choices=tuple(INSIDE))),
    _fault("n-byte-writes", "legal", "a read ends where an event ends", _by_bytes,
        Parameter("bytes", 7, "how many a write has", int, "bytes", 1, 1 << 20)),
    _fault("random-writes", "legal", "a read ends where an event ends", _at_random,
        Parameter("bytes", 12, "how many a write has on average, by the seed", int, "bytes", 1, 1 << 20)),
    _fault("chunk-extensions", "legal", "a chunk's size stands alone", streams(sized(lambda size, _: size + EXTENSION))),
    _fault("padded-chunk-sizes", "legal", "a chunk's size has no leading zeros", streams(sized(lambda size, _: b"000" + size.upper()))),
    _fault("trailers", "legal", "the last chunk is the end", streams(_trailers)),
    _fault("no-reason", "legal", "a status line has a reason", in_head(rb"HTTP/1.1 (\d+) [^\r]*", lambda f: b"HTTP/1.1 %b " % f[1])),
    _fault("short-chunk", "violation", "a chunk has as many bytes as it says", streams(_short)),
    _fault("both-lengths", "violation", "a body's length is told once", streams(_both_lengths)),
)  # fmt: skip
