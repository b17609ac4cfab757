"""What somebody asks a release, read into a query: the one place that knows what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.schema.country_names import resolve
from ctdhub.schema.model import load_schema
from ctdhub.schema.places import find_place
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query
from ctdhub.stats.table import NOT_RECORDED, YES

Given = str | int | bool | None | Iterable[str | int | None]
"""A value or several: a code, a year, True or False for a yes/no variable, a country or region by
name or code; None stands for "not recorded"."""


def asked(
    answers: Answers,
    given: Mapping[str, Given] | None = None,
    by: Sequence[str] = (),
    of: Mapping[str, Given] | None = None,
) -> Query:
    """The query that somebody asks for.

    Args:
        given: conditions by variable.
        by: variables of a table.
        of: conditions of the people that a share refers to; None for no share.

    Raises:
        QuestionError: the release has no such variable (``no-such-variable``), the variable no
            such value (``no-such-value``), or there is no such place (``no-such-place``).
        ValueError: what no query may be, see :class:`Query`.
    """
    return Query(
        conditions(answers, given or {}),
        tuple(checked(answers, name) for name in by),
        None if of is None else Query(conditions(answers, of)),
    )


def conditions(answers: Answers, given: Mapping[str, Given]) -> dict[str, tuple[str, ...]]:
    """Codes by variable, both in the order in which they were given.

    Raises:
        QuestionError: as :func:`asked`.
    """
    return {checked(answers, name): _values(answers, name, value) for name, value in given.items()}


def checked(answers: Answers, name: str) -> str:
    """The name of a variable that the release holds.

    Raises:
        QuestionError: it holds none of that name (``no-such-variable``).
    """
    if name not in answers.variables:
        raise error("no-such-variable", names=", ".join(sorted(answers.variables)))
    return name


def recorded(answers: Answers, names: Iterable[str]) -> Query:
    """The people for whom these variables are recorded.

    An empty yes/no variable of a group cannot be told from "no": its group's indicator decides.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        variable = load_schema().variable(name)
        group = load_schema().groups.get(variable.group or "")
        if group and group.indicator:
            found[group.indicator] = (YES,)
        elif variable.any_of:
            found[name] = (YES,)
        else:
            found[name] = answers.domain(name)
    return Query(found)


def codes_of(
    answers: Answers, name: str, text: str, countries: Callable[[str], tuple[str, ...]]
) -> tuple[str, ...]:
    """The codes of a variable that a text means, () where it means none.

    Args:
        countries: those that the text means, () where it is no place; asked of variables whose
            codes are countries, and for texts that are no code themselves.
    """
    if text in (NOT_RECORDED, *answers.domain(name)):
        return (text,)
    return countries(text) if load_schema().variable(name).kind == "country" else ()


def _values(answers: Answers, name: str, given: Given) -> tuple[str, ...]:
    several = given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    found = dict.fromkeys(code for one in several for code in _codes(answers, name, one))
    if not found:
        raise _no_such_value(answers, name)
    return tuple(found)


def _codes(answers: Answers, name: str, given: str | int | bool | None) -> tuple[str, ...]:
    if given is None:
        return (NOT_RECORDED,)
    text = ("yes" if given else "no") if isinstance(given, bool) else str(given)
    found = codes_of(answers, name, text, _countries)
    if not found:
        raise _no_such_value(answers, name)
    return found


def _countries(text: str) -> tuple[str, ...]:
    return find_place(text, lambda country: resolve(country).alpha3).members


def _no_such_value(answers: Answers, name: str) -> HubError:
    return error("no-such-value", name=name, names=", ".join(answers.domain(name)))
