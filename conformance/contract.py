"""Bodies that schemathesis derives from our OpenAPI document: valid ones to be taken, invalid ones to be refused. Sends nothing.

The only file that imports schemathesis and hypothesis, and only when bodies are asked for: they are an optional extra, and
slow to import. What they generate is plain data, the same for the same seed, and goes to the target as any other request of
a scenario does. They answer two questions, what a body may look like and how it can be wrong; which of their bodies are
evidence is decided in ``bodies.py``.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Literal

from ..spec import Dialect, openapi
from .bodies import Body, plainly_invalid, plainly_valid, settle, varied

Mode = Literal["positive", "negative"]

ROUNDS = 8
"""After so many draws it is believed that the schema has no more bodies."""
SURPLUS = 2
"""So many times as many are drawn as are wanted: some are no evidence, and the rest leaves a choice of kinds."""
STAND_INS = {"agent": "agent", "session": "session"}
RULING = "x-chatproof-ruling"
TEXT = {"type": "string", "pattern": "^[\t\n -~¡-¬®-ɏΆ-ώА-яא-תء-غ—-”ぁ-ゖ一-丿가-갏🌍-🎈😀-😎]+$", "maxLength": 200}
"""Texts that people might write, in several scripts; what stranger ones are met with is left open (AMB-20)."""
SCALARS = [TEXT, {"type": "integer", "minimum": -(10**9), "maximum": 10**9}, {"type": "boolean"}]
FREE = {
    "maxProperties": 3,
    "propertyNames": {"type": "string", "pattern": "^[a-z][a-z_]{0,9}$"},
    "additionalProperties": {"anyOf": [*SCALARS, {"type": "array", "items": TEXT, "maxItems": 3}]},
}
"""What an object holds of which the document says only that it is one."""
GENERATION = {"with_security_parameters": False, "database": "none", "codec": None}
"""Of schemathesis's own settings; no ``schemathesis.toml`` of the user's is looked for.

With a codec hypothesis would first try it on every code point there is, for seconds; without one it leaves out surrogates.
"""

_ALONE = threading.Lock()
"""Hypothesis sets the seed, and we the warnings, of the whole process while it generates."""
_KNOWN: dict[tuple[str, str, str, Mode, int, int], tuple[Body, ...]] = {}


def cases(dialect: Dialect, operation_id: str, mode: Mode, count: int, seed: int) -> list[Body]:
    """``count`` different bodies for that operation, the same for the same arguments; fewer only where no more exist.

    Pinned roles stand in them with a placeholder (``settle`` puts the real value there); a valid ``stream`` is left out.
    ``ImportError`` without the extra ``verify``.
    """
    key = (str(dialect.folder), dialect.name, operation_id, mode, count, seed)
    with _ALONE:
        if key not in _KNOWN:
            _KNOWN[key] = tuple(_cases(dialect, operation_id, mode, count, seed))
    return deepcopy(list(_KNOWN[key]))


def _cases(dialect: Dialect, operation_id: str, mode: Mode, count: int, seed: int) -> list[Body]:
    schema = openapi.request_schema(openapi.document(dialect), operation_id)
    if schema is None:
        return []
    document = _document(_for_generation(schema, mode))
    worth = plainly_valid if mode == "positive" else plainly_invalid
    found: dict[str, Body] = {}
    dice = random.Random(f"{seed}/{operation_id}/{mode}")
    for _ in range(ROUNDS):
        for body in _drawn(document, mode, SURPLUS * count, dice.getrandbits(64)):
            body = settle(body, dialect, STAND_INS)
            if worth(body, dialect, operation_id):
                found.setdefault(repr(body) if isinstance(body, bytes) else json.dumps(body, sort_keys=True), body)
        if len(found) >= count:
            break
    return varied(list(found.values()), dialect, operation_id)[:count]


def _for_generation(node: Any, mode: Mode) -> Any:
    """A schema without what rests on a ruling, and closed: nobody knows what an undocumented member may be.

    For valid bodies texts and free objects are ordinary ones as well.
    """
    if isinstance(node, list):
        return [_for_generation(item, mode) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: _for_generation(item, mode) for name, item in node.items()}
    if isinstance(node.get("properties"), dict):
        members = node["properties"].items()
        node["properties"] = {name: item for name, item in members if RULING not in item}
        return {"additionalProperties": False, **node}
    kinds = node.get("type", ())
    if mode == "positive" and kinds == "string" and not node.keys() & {"enum", "const", "pattern"}:
        return {**TEXT, **node}
    if mode == "positive" and "object" in kinds and "additionalProperties" not in node:
        return {**FREE, **node}
    return node


def _document(schema: dict[str, Any]) -> dict[str, Any]:
    """The smallest OpenAPI document with one operation that takes such a body; ``schema`` is self-contained."""
    own = {name: value for name, value in schema.items() if name != "components"}
    body = {"required": True, "content": {openapi.JSON: {"schema": own}}}
    operation = {"requestBody": body, "responses": {"200": {"description": ""}}}
    return {
        "openapi": "3.1.1",
        "info": {"title": "", "version": ""},
        "paths": {"/": {"post": operation}},
        "components": schema.get("components", {}),
    }


def _drawn(document: dict[str, Any], mode: Mode, number: int, seed: int) -> list[Body]:
    """What schemathesis draws in that many attempts for the operation of ``_document``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
        from hypothesis import HealthCheck, Phase, Verbosity, given, settings
        from hypothesis import seed as seeded
        from hypothesis.errors import Unsatisfiable

        drawn: list[Body] = []
        with _nothing_left_behind():
            config = schemathesis.Config()
            for name, value in GENERATION.items():
                setattr(config.projects.default.generation, name, value)
            schema = schemathesis.openapi.from_dict(document, config=config)
            strategy = schema["/"]["POST"].as_strategy(generation_mode=schemathesis.GenerationMode(mode))

            @seeded(seed)
            @settings(
                max_examples=number,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
                verbosity=Verbosity.quiet,
                backend=_provider(),
            )
            @given(case=strategy)
            def draw(case: Any) -> None:
                drawn.append(case.body)

            try:
                draw()
            except Unsatisfiable:
                return []
    return drawn


def _provider() -> str:
    """The name of hypothesis's own source of chance without the constants that it picks from whatever modules are loaded.

    They differ from program to program, and then so would the bodies. There is no setting for it, hence the override.
    """
    from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

    class Same(HypothesisProvider):
        def _maybe_draw_constant(self, *arguments: Any, **more: Any) -> None:
            return None

    AVAILABLE_PROVIDERS.setdefault("chatproof", Same)
    return "chatproof"


@contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Hypothesis writes its tables of characters in the working directory; computing them again takes a moment."""
    from hypothesis.configuration import set_hypothesis_home_dir, storage_directory

    home = storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(home)
