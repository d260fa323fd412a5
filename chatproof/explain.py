"""``chatproof explain``: one requirement, in every dialect that has it."""

from __future__ import annotations

import fnmatch

import click

from .conformance.check import CHECKS, Check
from .conformance.judge import choose
from .inputs import fail
from .spec import Ambiguity, Dialect, Requirement, ambiguities, dialect, did_you_mean, names, requirements


def main(requirement: str) -> int:
    """See ``chatproof explain --help``; a glob lists the ids that match."""
    questions = {one.id: one for one in ambiguities()}
    if requirement.upper().startswith("AMB-"):
        if requirement.upper() not in questions:
            fail(
                f"no question {requirement!r}{did_you_mean(requirement.upper(), list(questions))}; there are {', '.join(questions)}"
            )
        _question(questions[requirement.upper()])
        return 0
    rows: dict[str, list[tuple[Dialect, Requirement]]] = {}
    for name in names():
        one = dialect(name)
        for row in choose(requirements(one)):
            rows.setdefault(row.id, []).append((one, row))
    if requirement in rows:
        _explain(requirement, rows[requirement])
        return 0
    matching = fnmatch.filter(rows, requirement) if set(requirement) & set("*?[") else []
    if not matching:
        fail(
            f"no requirement {requirement!r}{did_you_mean(requirement, list(rows))}; `chatproof explain '*'` lists them"
        )
    for match in matching:
        row = rows[match][0][1]
        click.echo(f"{match:<34}  {row.level:<6}  {row.statement}")
    return 0


def _explain(name: str, rows: list[tuple[Dialect, Requirement]]) -> None:
    click.echo(name)
    said: list[tuple[str, Requirement]] = []
    for one, row in rows:
        if said and said[-1][1] == row:
            said[-1] = (f"{said[-1][0]}, {one.name}", row)
        else:
            said.append((one.name, row))
    for where, row in said:
        click.echo(f"\n  {where}: {row.level}, {row.evidence}")
        click.echo(f"    {row.statement}")
        click.echo(f"    {row.citation.document}, {row.citation.section}")
        if row.check is not None:
            _check(CHECKS[row.check])
        else:
            click.echo(f"    not checked: {row.untestable}")
    rulings = {row.ambiguity for _, row in said if row.ambiguity}
    for ambiguity in ambiguities():
        if ambiguity.id in rulings:
            click.echo(f"\n  {ambiguity.id}: {ambiguity.question}\n    ruling: {ambiguity.ruling}")


def _question(one: Ambiguity) -> None:
    """An open question with its readings, by the names that ``serve --ruling`` and a profile's ``rulings`` take."""
    from .simulator.rulings import RULINGS

    click.echo(f"{one.id} ({', '.join(one.dialects)}): {one.question}\n")
    for kind, rows in (("", one.readings), ("no reading, a quirk of servers: ", one.quirks)):
        for row in rows:
            found = RULINGS[one.id][row.name]
            click.echo(f"  {row.name:<14}{kind}{row.says}")
            if isinstance(found, str):
                click.echo(f"  {'':<14}serve --ruling refuses it: {found}")
    click.echo(f"\n  ruling: {one.ruling}")


def _check(check: Check) -> None:
    where = f"the scenario {check.scenario!r}" if check.scenario else f"all {check.over} of the run"
    click.echo(f"    check {check.id}, over {where}: {check.statement}")
