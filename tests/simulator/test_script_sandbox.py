"""Templates cannot reach Python, cannot run for ever, and cannot grow without bound."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from chatproof.simulator.script.fakes import NAMES, fakes
from chatproof.simulator.script.sandbox import FILTERS, LONGEST, ROUNDS
from chatproof.simulator.script.template import ScriptError, compiled, render

KNOWN: dict[str, frozenset[str] | None] = {"request": None, "fake": NAMES, "now": None, "vars": None}
NAMED: dict[str, Any] = {
    "request": {"message": "Hi", "metadata": {"items": 7, "a b": 1}, "long": "x" * LONGEST},
    "vars": {},
    "now": "2026-01-01T00:00:00Z",
}


def run(source: str) -> Any:
    made, wrong = compiled(source, "s.yaml:1:1", KNOWN)
    assert wrong == []
    draw = itertools.count(1)
    return render(made, {**NAMED, "fake": fakes(lambda: next(draw))})


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("plain", "plain"),
        ("{{ 1 + 2 }}", 3),
        ("{{ 1 + 2 }} ", "3 "),
        ("{{ [1, 'a', none, true] }}", [1, "a", None, True]),
        ("is {{ [1, 'a', none, true] }}", 'is [1, "a", null, true]'),
        ("{{ request.metadata.items }}", 7),
        ("{{ request.metadata['a b'] }}", 1),
        ("{{ request.message.upper() ~ '!' * 3 }}", "HI!!!"),
        ("{% for x in range %}{% endfor %}", None),
        ("{% for x in [1, 2] %}{{ loop.index }}:{{ x }} {% endfor %}", "1:1 2:2 "),
        ("{% if request.message == 'Hi' %}yes{% else %}no{% endif %}", "yes"),
        ("{% set x = 3 %}{{ x * 2 }}", "6"),
        ("{{ request.nothing | default('-') }}", "-"),
        ("{{ request.message is string and 3 is odd }}", True),
        ("{{ {'a': [1.5]} | tojson }}", '{"a": [1.5]}'),
        ("{{ fake.digits(3) ~ fake.choice(['x']) }}", "123x"),
        ("{{ request.metadata.keys() }}", ["items", "a b"]),
        ("{{ 7 % 4 }}{# a comment #}", 3),
        ("{{ 2 ** 10 }}", 1024),
    ],
)
def test_what_templates_can_do(source: str, value: Any) -> None:
    if value is None:
        assert [one.message for one in compiled(source, "s", KNOWN)[1]] == [
            "undefined name 'range'; known: request, fake, now, vars"
        ]
    else:
        assert run(source) == value


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ request.__class__.__mro__ }}",
        "{{ request.message.__len__() }}",
        "{{ request.message.format(1) }}",
        "{{ '{0.__class__}'.format(request) }}",
        "{{ request.message.join(['a']) }}",
        "{{ request.update({'a': 1}) }}",
        "{{ [].append(1) }}",
        "{{ fake.name.__call__ }}",
        "{{ fake.name._does }}",
        "{{ fake.name }}",
        "{{ (1).bit_length() }}",
        "{{ request.message.encode() }}",
        "{% for x in [1] %}{{ loop.__init__ }}{% endfor %}",
        "{% for x in [1] %}{{ loop._iterable }}{% endfor %}",
        "{% for x in [1] %}{{ loop.cycle(1) }}{% endfor %}",
        "{{ '%s' % request }}",
        "{{ request.nothing.at_all }}",
        "{{ request.message() }}",
    ],
)
def test_there_is_no_way_out(source: str) -> None:
    with pytest.raises(ScriptError, match=r"^s\.yaml:1:1: the template failed: "):
        run(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ range(9) }}",
        "{{ lipsum() }}",
        "{{ cycler('a') }}",
        "{{ namespace(a=1) }}",
        "{{ request | attr('__class__') }}",
        "{{ [1] | map('upper') | list }}",
        "{{ [1] | random }}",
        "{{ 'a' | center(9) }}",
        "{{ [1] | _counted }}",
        "{{ _work }}",
        "{% macro f() %}{% endmacro %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% call f() %}{% endcall %}",
        "{% for x in [[1]] recursive %}{{ loop(x) }}{% endfor %}",
        "{% set request.a = 1 %}",
        "{% filter upper %}a{% endfilter %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_what_is_refused_when_the_script_is_read(source: str) -> None:
    assert compiled(source, "s", KNOWN)[1] != []


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ 10 ** 9 * 'a' }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 2.5 ** 99999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ request.long ~ 'a' }}",
        "{{ request.long }}{{ request.long }}",
        "{% for x in request.long %}{% for y in request.long %}{% endfor %}{% endfor %}",
        f"{{% for x in [1] * {ROUNDS + 1} %}}{{% endfor %}}",
        "{% set a = request.long %}" + "{% set a = a ~ a %}" * 40 + "{{ a | length }}",
        "{% set a = request.long %}" + "{% set a = a + a %}" * 40 + "{{ a | length }}",
        "{% set a = 9 %}" + "{% set a = a * a %}" * 40 + "{{ a > 1 }}",
        "{{ ([request.long] * 60000) | join | length }}",
        "{{ request.long | replace('', request.long) | length }}",
        "{{ fake.digits(10 ** 9) }}",
        "{{ fake.words(10 ** 9) }}",
        "{{ 1e308 * 10 }}",
    ],
)
def test_nothing_grows_without_bound(source: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ScriptError):
        run(source)
    assert time.perf_counter() - began < 2


def test_rounds_are_counted_for_each_rendering_alone() -> None:
    source = f"{{% for x in [1] * {ROUNDS} %}}{{% endfor %}}a"
    assert [run(source), run(source)] == ["a", "a"]


def test_every_filter_is_one_that_cannot_grow() -> None:
    """A filter that makes much out of little has to be bounded before it is listed."""
    assert not {"center", "format", "indent", "pprint", "random", "attr", "map", "batch", "slice", "wordwrap"} & set(
        FILTERS
    )


def test_made_up_names_are_known_to_the_checker() -> None:
    made = fakes(lambda: 5)
    assert frozenset(made) == NAMES
    assert all(made[name]() is not None for name in NAMES - {"choice"})
