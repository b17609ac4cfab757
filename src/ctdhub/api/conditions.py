"""What a program asks for, read into values of the release's variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.schema.country_names import resolve
from ctdhub.schema.model import load_schema
from ctdhub.schema.places import find_place
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import NOT_RECORDED, YES

Given = str | int | bool | None | Iterable[str | int | None]
"""A value or several: a code, a year, True or False for a yes/no variable, a country or region by
name or code; None stands for "not recorded"."""

Conditions = dict[str, tuple[str, ...]]


def conditions(answers: Answers, given: Mapping[str, Given]) -> Conditions:
    """Values by variable.

    Raises:
        QuestionError: the release has no such variable (``no-such-variable``), the variable no
            such value (``no-such-value``), or there is no such place (``no-such-place``).
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


def recorded(answers: Answers, names: Iterable[str]) -> Conditions:
    """The people for whom these variables are recorded.

    An empty yes/no variable of a group cannot be told from "no": its group's indicator decides.
    """
    found: Conditions = {}
    for name in names:
        variable = load_schema().variable(name)
        group = load_schema().groups.get(variable.group or "")
        if group and group.indicator:
            found[group.indicator] = (YES,)
        elif variable.any_of:
            found[name] = (YES,)
        else:
            found[name] = answers.domain(name)
    return found


def _values(answers: Answers, name: str, given: Given) -> tuple[str, ...]:
    several = given if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    found = dict.fromkeys(code for one in several for code in _codes(answers, name, one))
    if not found:
        raise _no_such_value(answers, name)
    return tuple(found)


def _codes(answers: Answers, name: str, given: str | int | bool | None) -> tuple[str, ...]:
    if given is None or given == NOT_RECORDED:
        return (NOT_RECORDED,)
    text = ("yes" if given else "no") if isinstance(given, bool) else str(given)
    if text in answers.domain(name):
        return (text,)
    if load_schema().variable(name).kind == "country":
        return find_place(text, lambda country: resolve(country).alpha3).members
    raise _no_such_value(answers, name)


def _no_such_value(answers: Answers, name: str) -> HubError:
    return error("no-such-value", name=name, names=", ".join(answers.domain(name)))
