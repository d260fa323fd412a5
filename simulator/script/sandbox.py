"""The template language of scripts: Jinja2 without attributes, loops without end or output without bound.

What a template may use is listed, not what it may not: these statements, filters, tests and methods exist and no others.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2 import filters as stock
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS as STOCK_TESTS
from jinja2.visitor import NodeTransformer

from ...spec import did_you_mean

LONGEST = 1 << 21
"""The most characters that one template may yield: enough to say the longest message again, whose body is half of that."""
ITEMS = 1 << 16
"""The most items that a list may grow to."""
ROUNDS = 10_000
"""How many rounds all loops of one rendering may take together."""
DIGITS = 300
"""How many decimal digits a number may grow to."""
WORK = "_work"
"""The name under which a rendering's rounds are counted; no template can say it."""

NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.Name, nodes.Const, nodes.Tuple,
    nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem,
    nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Add,
    nodes.Sub, nodes.Mod, nodes.Pow, nodes.Not, nodes.Neg, nodes.Pos, nodes.And, nodes.Or,
)  # fmt: skip
TESTS = (
    "defined", "undefined", "none", "number", "integer", "string", "mapping", "sequence", "boolean", "odd", "even", "divisibleby",
    "in", "eq", "==", "ne", "!=", "lt", "<", "le", "<=", "gt", ">", "ge", ">=",
)  # fmt: skip
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "lower",
            "upper",
            "title",
            "capitalize",
            "strip",
            "lstrip",
            "rstrip",
            "split",
            "startswith",
            "endswith",
            "find",
            "count",
            "isdigit",
            "isalpha",
        ]
    ),
    list: frozenset({"index", "count"}),
    dict: frozenset({"get", "keys", "values", "items"}),
    LoopContext: frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"}),
}


class Excess(Exception):
    """A template that asks for too much."""


class Function:
    """A function that templates may call."""

    def __init__(self, name: str, does: Callable[..., Any]) -> None:
        self.name, self._does = name, does

    def __call__(self, *args: Any) -> Any:
        return self._does(*args)


class Sandbox(SandboxedEnvironment):
    """Names are looked up as members first; of what Python has to offer only ``METHODS`` are there."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and (attribute in obj or attribute not in METHODS[dict]):
            return self.getitem(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError):
            known = [str(key) for key in obj] if isinstance(obj, Mapping) else []
            return self.undefined(
                f"there is no {argument!r} yet{did_you_mean(str(argument), known)}", name=str(argument)
            )

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return any(isinstance(obj, kind) and attr in methods for kind, methods in METHODS.items())

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Function) or isinstance(getattr(obj, "__self__", None), str | list | dict)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _allow(operator, left, right)
        return _sized(super().call_binop(context, operator, left, right))


class Bounded(NodeTransformer):
    """Loops count their rounds, and ``~`` joins within bounds."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)


def sandbox() -> Sandbox:
    """An environment with ``FILTERS``, ``TESTS`` and no globals."""
    made = Sandbox(
        undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True, finalize=text
    )
    made.globals.clear()
    made.filters.clear()
    made.filters.update(FILTERS)
    made.tests.clear()
    made.tests.update({name: STOCK_TESTS[name] for name in TESTS})
    return made


def text(value: Any) -> str:
    """A value as output: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, StrictUndefined):
        return str(value)
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any) -> Any:
    """``value`` as JSON has it, of bounded size; ``Excess`` or ``TypeError`` for what JSON does not know."""
    made = _plain(value)
    if len(json.dumps(made)) > 8 * LONGEST:
        raise Excess("the value is too large")
    return made


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str() | int():
            return _sized(value)
        case float():
            if not math.isfinite(value):
                raise TypeError("a number without an end is no JSON")
            return value
        case Mapping():
            return {str(key): _plain(member) for key, member in value.items()}
        case StrictUndefined():
            return str(value)
        case list() | tuple() | set():
            return [_plain(member) for member in value]
        case Function():
            raise TypeError(f"{value.name} is a function: call it, as {value.name}()")
        case _ if isinstance(value, Iterator | type({}.keys()) | type({}.values()) | type({}.items())):
            return [_plain(member) for member, _ in zip(value, range(ITEMS), strict=False)]
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _allow(operator: str, left: Any, right: Any) -> None:
    """Refuses what would be too large before it is made."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if operator == "%" and not numbers:
        raise TypeError("% is for numbers only")
    if operator == "**" and (not numbers or abs(right) * max(1, len(f"{left}")) > DIGITS):
        raise Excess("the power is too large")
    if operator == "*" and not numbers:
        sized, times = (left, right) if hasattr(left, "__len__") else (right, left)
        most = LONGEST if isinstance(sized, str) else ITEMS
        if hasattr(sized, "__len__") and isinstance(times, int) and len(sized) * times > most:
            raise Excess(f"more than {most} repeated")


def _sized(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**DIGITS:
        raise Excess(f"a number of more than {DIGITS} digits")
    if isinstance(value, str) and len(value) > LONGEST:
        raise Excess(f"more than {LONGEST} characters")
    if isinstance(value, list | tuple) and len(value) > ITEMS:
        raise Excess(f"a list of more than {ITEMS} items")
    return value


@pass_context
def _counted(context: Context, items: Iterable[Any]) -> Iterator[Any]:
    rounds = context[WORK]
    for item in items:
        rounds.append(None)
        if len(rounds) > ROUNDS:
            raise Excess(f"more than {ROUNDS} rounds of loops")
        yield item


def _join(items: Iterable[Any], between: str = "") -> str:
    parts: list[str] = []
    size = 0
    for item in items:
        parts.append(text(item))
        size += len(parts[-1]) + len(between)
        if size > LONGEST:
            raise Excess(f"more than {LONGEST} characters")
    return between.join(parts)


def _replace(value: Any, old: str, new: str) -> str:
    whole = text(value)
    if len(whole) + whole.count(old) * len(new) > LONGEST:
        raise Excess(f"more than {LONGEST} characters")
    return whole.replace(old, new)


def _round(value: float, digits: int = 0) -> float:
    return round(value, max(-DIGITS, min(DIGITS, digits)))


def _tojson(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)


FILTERS: dict[str, Callable[..., Any]] = {
    **{
        name: stock.FILTERS[name]
        for name in (
            "abs", "capitalize", "count", "d", "default", "first", "float", "int", "items", "last", "length", "list", "lower",
            "max", "min", "reverse", "sort", "string", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode",
            "wordcount",
        )
    },
    "join": _join,
    "replace": _replace,
    "round": _round,
    "tojson": _tojson,
    "_counted": _counted,
}  # fmt: skip
