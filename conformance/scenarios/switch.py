"""What each operation answers when a stream is asked for, refused, or not mentioned. Runs first: the rest builds on it."""

from __future__ import annotations

from ..ask import Ask
from ..scenario import Scene, Script, scenario


@scenario("switch")
def switch(scene: Scene) -> Script:
    """Every chat operation, with the switch on, off and left out; on by header as well where the table says so."""
    for operation in scene.dialect.operations:
        if operation.mode == "keys":
            continue
        name = operation.id
        yield Ask(f"{name}-unsaid", stream=None, operation=name)
        if operation.mode == "switched":
            yield Ask(f"{name}-off", stream=False, operation=name)
            yield Ask(f"{name}-on", stream=True, operation=name, via="body")
            if scene.dialect.request.switch.accept:
                yield Ask(f"{name}-accept", stream=True, operation=name, via="accept")
