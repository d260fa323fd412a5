"""Pages of HTML from templates: escaped by themselves, in one file, and forbidden to load anything from anywhere.

A Content-Security-Policy names the hashes of our own style and script, so that nothing that a target sent could run even if it
slipped through the escaping. What has no ink is made visible first (``text.visible``).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .text import CODE, visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, styles: Sequence[str] = ("page.css",), **context: Any) -> str:
    """The page that a template in ``templates/`` makes of the context; the styles named and the page's script are given to it."""
    style = "".join((TEMPLATES / name).read_text("utf-8") for name in styles)
    script = (TEMPLATES / "page.js").read_text("utf-8")
    from markupsafe import Markup

    sources = f"style-src {_hash(style)}; script-src {_hash(script)}"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    made = environment().get_template(template)
    return made.render(policy=Markup(policy), style=Markup(style), script=Markup(script), **context)


@cache
def environment() -> Environment:
    """Jinja with our words; imported when the first page is made."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_ink,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters["prose"] = _prose
    return made


def _ink(value: Any) -> Any:
    """``None`` prints nothing; text that is no markup is made visible."""
    if value is None:
        return ""
    return visible(value, keep="\n") if type(value) is str else value


def _prose(text: str) -> Any:
    """Text in which `` `code` `` is code, as markup."""
    from markupsafe import Markup, escape

    parts = (escape(visible(part, keep="\n")) for part in CODE.split(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
