"""Texts and values with templates in them: compiled once, when the script is read; rendered with the names of one turn.

A text that is one ``{{ expression }}`` and nothing else keeps the type of its value; any other becomes text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes

from ...spec import did_you_mean
from .sandbox import FILTERS, LONGEST, NODES, TESTS, WORK, Bounded, Excess, Sandbox, plain, sandbox, text

MARKS = ("{{", "{%", "{#")
RESULT = "result"
Names = Mapping[str, Any]
Known = Mapping[str, frozenset[str] | None]
"""The names a template may use, each with the members it is known to have; ``None``: any."""


class ScriptError(Exception):
    """A template that failed while a request was answered. ``place``: ``file:line:column``."""

    def __init__(self, place: str, message: str) -> None:
        self.place, self.message = place, message
        super().__init__(f"{place}: {message}")


@dataclass(frozen=True)
class Wrong:
    """One mistake in a template: its line there (from 1), and the word it is about, to be found again in the file."""

    line: int
    message: str
    word: str = ""


@dataclass(frozen=True, eq=False)
class Text:
    """A template that yields text."""

    place: str
    compiled: Template


@dataclass(frozen=True, eq=False)
class Expression:
    """A template that yields a value of any type. ``source`` tells two of them apart."""

    place: str
    source: str
    compiled: Template


Value = Text | Expression | str | int | float | bool | None | list[Any] | dict[str, Any]
"""JSON whose texts may be templates."""


def compiled(source: str, place: str, known: Known) -> tuple[Text | Expression | str, list[Wrong]]:
    """The template in ``source``, and all that is wrong with it."""
    if not any(mark in source for mark in MARKS):
        return source, []
    environment = _environment()
    try:
        tree = environment.parse(source)
        wrong = [*_forbidden(tree), *_undefined(tree, known)]
        if wrong:
            return "", wrong
        single = _single(tree)
        if single is not None:
            target = nodes.Name(RESULT, "store", lineno=1)
            tree = nodes.Template([nodes.Assign(target, single, lineno=1)], lineno=1)
        tree = Bounded().visit(tree)
        tree.set_environment(environment)
        code = environment.compile(tree)
    except TemplateSyntaxError as error:
        return "", [Wrong(error.lineno, f"is not a template: {error.message}")]
    except (RecursionError, SyntaxError, ValueError, OverflowError):
        return "", [Wrong(1, "is not a template: it is nested too deeply or too large")]
    ready = Template.from_code(environment, code, {})
    return (Text(place, ready) if single is None else Expression(place, source, ready)), []


def expression(source: str, place: str, known: Known) -> tuple[Expression | None, list[Wrong]]:
    """A bare expression, as in ``when.if``."""
    made, wrong = compiled(f"{{{{ {source} }}}}", place, known)
    if not wrong and not isinstance(made, Expression):
        wrong = [Wrong(1, "is not one expression")]
    return (made if isinstance(made, Expression) else None), wrong


def render(value: Value, names: Names) -> Any:
    """``value`` with its templates filled in; ``ScriptError`` if one fails, whatever the reason."""
    match value:
        case Text():
            return _guarded(value, names)
        case Expression():
            return _guarded(value, names)
        case list():
            return [render(member, names) for member in value]
        case dict():
            return {key: render(member, names) for key, member in value.items()}
    return value


def render_text(value: Value, names: Names) -> str:
    """As ``render``, as text: an expression's value as JSON unless it is text already."""
    return text(render(value, names))


def holds(condition: Expression, names: Names) -> bool:
    """Whether a condition is true; ``ScriptError`` if it fails."""
    return bool(_guarded(condition, names))


def _guarded(template: Text | Expression, names: Names) -> Any:
    try:
        return _run(template, names)
    except Exception as error:  # noqa: BLE001  whatever a template does, the server goes on
        words = str(error) or type(error).__name__
        raise ScriptError(template.place, f"the template failed: {words[:300]}") from None


def _run(template: Text | Expression, names: Names) -> Any:
    context = template.compiled.new_context({**names, WORK: []})
    pieces: list[str] = []
    size = 0
    for piece in template.compiled.root_render_func(context):
        size += len(piece)
        if size > LONGEST:
            raise Excess(f"more than {LONGEST} characters")
        pieces.append(piece)
    if isinstance(template, Text):
        return "".join(pieces)
    value = plain(context.vars[RESULT])
    if isinstance(value, str) and len(value) > LONGEST:
        raise Excess(f"more than {LONGEST} characters")
    return value


@cache
def _environment() -> Sandbox:
    return sandbox()


def _single(tree: nodes.Template) -> nodes.Expr | None:
    """The expression that a template consists of; ``None`` if there is anything beside it."""
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


def _forbidden(tree: nodes.Template) -> Iterator[Wrong]:
    for node in _walk(tree):
        if isinstance(node, nodes.For) and node.recursive:
            yield Wrong(node.lineno, "recursive loops are not available in scripts", "recursive")
        elif isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.name.startswith("_")):
            known = [name for name in FILTERS if not name.startswith("_")]
            yield Wrong(node.lineno, f"no filter {node.name!r}{did_you_mean(node.name, known)}", node.name)
        elif isinstance(node, nodes.Test) and node.name not in TESTS:
            yield Wrong(node.lineno, f"no test {node.name!r}{did_you_mean(node.name, list(TESTS))}", node.name)
        elif not isinstance(node, NODES):
            name = type(node).__name__.lower()
            yield Wrong(node.lineno, f"{name!r} is not available in scripts", name)


def _undefined(tree: nodes.Template, known: Known) -> Iterator[Wrong]:
    made = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    made |= {"loop"} if next(tree.find_all(nodes.For), None) is not None else set()
    for node in _walk(tree):
        if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in known and node.name not in made:
            near = did_you_mean(node.name, sorted({*known, *made})) or f"; known: {', '.join(known)}"
            yield Wrong(node.lineno, f"undefined name {node.name!r}{near}", node.name)
        elif isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(node.node, nodes.Name):
            root, member = node.node.name, _member(node)
            members = known.get(root) if root not in made else None
            if member is not None and members is not None and member not in members:
                near = did_you_mean(member, sorted(members)) or _listed(members)
                yield Wrong(node.lineno, f"{root} has no {member!r}{near}", member)


def _listed(members: frozenset[str]) -> str:
    return f"; it has {', '.join(sorted(members))}" if members else "; it is empty here"


def _member(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _walk(child)
