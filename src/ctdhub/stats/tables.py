"""The tables of the site: by a variable, by the flags of a group, the largest corridors."""

from __future__ import annotations

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query, Where
from ctdhub.stats.table import NOT_RECORDED, YES, Row, Table

ENDS = frozenset((ORIGIN, DESTINATION))
"""The variables that a corridor lies between: no others may limit :func:`corridors`."""


def distribution(answers: Answers, variable: str, among: Where | None = None) -> Table:
    """People by the values of one variable, "not recorded" as its last row.

    Shares refer to the people whose answer is recorded.  Years after the last covered one have no
    row.

    Args:
        among: conditions on other variables; all people by default.
    """
    return answers.table(Query(among or {}, by=(variable,)))


def flag_group(answers: Answers, group: str, among: Where | None = None) -> Table:
    """People by the flags of a group.

    The denominator is the people for whom some flag of the group is yes; the others leave it,
    because an empty flag cannot be told from "no" there.  A person may have several flags, so
    shares may add up to more than one.

    Args:
        among: conditions on other variables; all people by default.
    """
    asked = among or {}
    key = ("flags", group, _key(asked))
    return answers.kept(key, lambda: _flag_group(answers, group, asked))


def _flag_group(answers: Answers, group: str, among: Where) -> Table:
    schema = load_schema()
    indicator = schema.groups[group].indicator
    if indicator is None:
        raise KeyError(group)
    some = Query({**among, indicator: [YES]})
    recorded = Query(some.where, of=Query(among))
    missing = answers.missing(recorded)
    rows = []
    for flag in schema.flags(group):
        if flag in answers.variables:
            having = {**among, flag: [YES]}
            people = answers.card(Query(having), missing=missing)
            share = answers.card(Query(having, of=some), missing=missing)
            rows.append(Row((flag,), "value", people, share))
    rows.sort(key=lambda r: -(r.people.value or 0))
    unknown = answers.outside(recorded, missing=missing)
    rows.append(Row((NOT_RECORDED,), "not_recorded", unknown))
    return Table((indicator,), tuple(rows), answers.card(some, missing=missing), missing)


def corridors(answers: Answers, most: int = 12, among: Where | None = None) -> Table | None:
    """The largest corridors: country of citizenship and country of exploitation.

    None where this release did not measure that table.

    Args:
        most: how many.
        among: values of one of the two countries, or of both; all corridors by default.

    Raises:
        ValueError: a condition on something else, which this table cannot answer.
    """
    asked = among or {}
    if not asked.keys() <= ENDS:
        raise ValueError("corridors know conditions on their two countries only")
    key = ("corridors", most, _key(asked))
    return answers.kept(key, lambda: _corridors(answers, most, asked))


def _corridors(answers: Answers, most: int, among: Where) -> Table | None:
    key = answers.measured(ORIGIN, DESTINATION)
    if key is None:
        return None
    cells = answers.cells(ORIGIN, DESTINATION)
    known = [pair for pair in cells if all(pair) and _among(pair, among)]
    known.sort(key=lambda pair: (-cells[pair].value, pair))
    both = Query({v: answers.domain(v) for v in (ORIGIN, DESTINATION)} | dict(among))
    recorded = Query(both.where, of=Query(among))
    missing = answers.missing(recorded)
    rows = []
    for origin, place in known[:most]:
        pair = {**among, ORIGIN: [origin], DESTINATION: [place]}
        people = answers.card(Query(pair), missing=missing)
        share = answers.card(Query(pair, of=both), missing=missing)
        rows.append(Row((origin, place), "value", people, share))
    unknown = answers.outside(recorded, missing=missing)
    rows.append(Row((NOT_RECORDED,), "not_recorded", unknown))
    base = answers.card(both, missing=missing)
    errors = answers.release.link_errors
    rival = max([answers.unseen(key), *(cells[pair].high for pair in known[most:])])
    rival += errors.merged if errors else 0
    query = Query(among, by=(ORIGIN, DESTINATION))
    return Table(query.by, tuple(rows), base, missing, rival, query)


def _key(among: Where) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Conditions as they were written, for what is kept of them."""
    return tuple((name, tuple(codes)) for name, codes in among.items())


def _among(pair: tuple[str, ...], among: Where) -> bool:
    places = zip((ORIGIN, DESTINATION), pair, strict=True)
    return all(name not in among or code in among[name] for name, code in places)
