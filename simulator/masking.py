"""Credentials out of what is shown: a key becomes a label that tells keys apart, and its bytes on the wire become asterisks.

Masking is done when something is shown, never when it is recorded, so that a request pays nothing for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, unquote_plus

from . import chunks
from .population import KEY_ROLES, METERED_KEY
from .request import HttpRequest, bearer

SHORTEST = 6
"""A credential of fewer characters is masked where it is given and nowhere else: it would stand in any text by chance."""
HIDDEN = "[masked]"
ROLES = {**{key: role for role, key in KEY_ROLES.items()}, METERED_KEY: "metered"}
NAMES = "auth|cookie|token|secret|password|api[-_]?key|credential"
SECRET_HEADER = re.compile(NAMES, re.IGNORECASE)
SECRET_QUERY = re.compile(rf"[?&][^=&]*(?:{NAMES})[^=&]*=([^&#]*)", re.IGNORECASE)
SECRET_FIELD = re.compile(rb'"[^"]{0,40}(?:authorization|password|secret|api[-_]?key|credential)[^"]{0,40}"\s*:\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)  # fmt: skip


@lru_cache(maxsize=4096)
def label(key: str) -> str:
    """How a key is shown: by its role in the built-in population (in any scope), else by six digits that say nothing of it."""
    role = ROLES.get(key) or ROLES.get(key.rpartition("@")[0])
    return f"[key {role or blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=3).hexdigest()}]"


def secrets(asked: HttpRequest) -> list[str]:
    """Every credential in a request, by where it stands or by the name of what holds it."""
    found = [bearer(asked.headers) or ""]
    for name, value in asked.headers.items():
        if SECRET_HEADER.search(name):
            found += [value, value.partition(" ")[2]]
    found += [form for value in SECRET_QUERY.findall(asked.target) for form in (value, unquote_plus(value))]
    found += [_unescaped(value) for value in SECRET_FIELD.findall(asked.body)]
    return [text for text in found if text]


def secrets_told(headers: Iterable[tuple[str, str]], body: bytes) -> list[str]:
    """Every credential in a response, by the name of what holds it; of a cookie its value alone."""
    found = [_unescaped(value) for value in SECRET_FIELD.findall(body)]
    for name, value in headers:
        if name.lower() == "set-cookie":
            found.append(value.partition("=")[2].partition(";")[0].strip())
        elif SECRET_HEADER.search(name) and name.lower() != "www-authenticate":
            found.append(value)
    return [text for text in found if text]


def mask(value: Any, hidden: Iterable[str]) -> Any:
    """``value`` with the labels of the ``hidden`` keys in its texts, however JSON or a URL spells them."""
    pairs = [(form, label(key)) for key in _longest_first(hidden) for form in _forms(key)]
    return _masked(value, pairs) if pairs else value


def replaced(value: Any, names: Mapping[str, str]) -> Any:
    """As ``mask``, with a name of one's own for each credential."""
    return _masked(value, [(form, names[key]) for key in _longest_first(names) for form in _forms(key)])


def places(text: str, names: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Where credentials stand in ``text``, in order and without overlap: start, end, and the name to be shown there."""
    pairs = [(form, names[key]) for key in _longest_first(names) for form in _forms(key)]
    if not pairs:
        return []
    shown = dict(reversed(pairs))
    sought = re.compile("|".join(re.escape(form) for form, _ in pairs))
    return [(found.start(), found.end(), shown[found[0]]) for found in sought.finditer(text)]


def headers(plain: Mapping[str, str], hidden: Iterable[str]) -> dict[str, str]:
    """Headers with nothing secret in them."""
    credential = bearer(plain)
    known = list(hidden)
    shown = {name: HIDDEN if SECRET_HEADER.search(name) else mask(value, known) for name, value in plain.items()}
    if credential is not None:
        shown["authorization"] = f"Bearer {label(credential)}"
    return shown


def target(plain: str, hidden: Iterable[str]) -> str:
    """A request target with nothing secret in its query."""
    found = SECRET_QUERY.search(plain)
    while found and found[1] != HIDDEN:
        plain = plain[: found.start(1)] + HIDDEN + plain[found.end(1) :]
        found = SECRET_QUERY.search(plain, found.start(1) + len(HIDDEN))
    return str(mask(plain, hidden))


def veiled(wire: bytes, hidden: Iterable[str]) -> bytes:
    """The bytes of a response with asterisks where a key stands, as many as it has bytes: no offset changes.

    A key that is cut up by chunks is found too.
    """
    forms = [form.encode("utf-8", "surrogatepass") for key in _longest_first(hidden) for form in _forms(key)]
    for form in forms:
        wire = wire.replace(form, b"*" * len(form))
    places = chunks.places(wire) if forms else chunks.Places()
    text = places.of(wire)
    found = [range(at, at + len(form)) for form in forms for at in _all(text, form)]
    if not found:
        return wire
    plain = bytearray(wire)
    for at in (at for span in found for at in span):
        plain[places[at]] = ord("*")
    return bytes(plain)


def _all(text: bytes, form: bytes) -> Iterator[int]:
    at = text.find(form)
    while at >= 0:
        yield at
        at = text.find(form, at + 1)


def _masked(value: Any, pairs: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for form, shown in pairs:
            value = value.replace(form, shown)
        return value
    if isinstance(value, dict):
        return {_masked(name, pairs): _masked(item, pairs) for name, item in value.items()}
    return [_masked(item, pairs) for item in value] if isinstance(value, list | tuple) else value


def _longest_first(hidden: Iterable[str]) -> list[str]:
    return sorted({key for key in hidden if len(key) >= SHORTEST}, key=lambda key: (-len(key), key))


@lru_cache(maxsize=4096)
def _forms(key: str) -> tuple[str, ...]:
    """The ways a key is spelt, the longest first, since they may hold the others."""
    forms = {
        json.dumps(key)[1:-1],
        json.dumps(key, ensure_ascii=False)[1:-1],
        quote(key, safe="", errors="replace"),
        key,
    }
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _unescaped(value: bytes) -> str:
    try:
        return str(json.loads(b'"%b"' % value))
    except ValueError:
        return value.decode("utf-8", "replace")
