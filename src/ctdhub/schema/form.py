"""The questions of a form that asks for the schema: names, choices and conditions, no words.

A form is made from the schema and never listed, so that a new variable is asked as soon as it
exists.  It asks for no name, and for an age rather than a date of birth.  Words are in
``form_words``, the file that KoboToolbox and ODK read is written by ``xlsform``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ctdhub.schema.model import YEARS, Schema, Variable, load_schema
from ctdhub.schema.roles import AGE, ALLEGATION, OF_ANYONE

FORM_ID = "ctdhub"
CONSENT = "con_Consent"
"""The first question; HTCDS 2.0 has this name for it."""

CASE = "case_id"
AGE_YEARS = f"{AGE}_years"
"""The age in years; the band is asked only where the age is not known."""

REPEAT = "perpetrators"
YES, NO = "yes", "no"
NONE, NOT_ASKED = "none_of_these", "not_asked"
"""Choices beside the flags of a group.  A question that was not answered is neither."""

OLDEST = 120

FormKind = Literal["text", "integer", "one", "many"]


@dataclass(frozen=True)
class Question:
    """One question of the form.

    Attributes:
        name: name of its column in exports.
        kind: text, integer, one choice, or several choices.
        variables: what of the schema it answers; for several choices, the flags.
        choices: the name of its list; questions of one kind share one.
        bounds: least and greatest whole number.
        where: name of the question that must be unanswered for this one to be asked.
        repeat: whether it is asked of each alleged perpetrator.
    """

    name: str
    kind: FormKind
    variables: tuple[str, ...] = ()
    choices: str = ""
    bounds: tuple[int, int] | None = None
    where: str = ""
    repeat: bool = False


@cache
def questions(schema: Schema | None = None) -> tuple[Question, ...]:
    """All questions in their order: consent, the case, then the public variables of the schema.

    >>> [q.name for q in questions()][:3]
    ['con_Consent', 'case_id', 'year_of_registration']
    """
    schema = schema or load_schema()
    return (
        Question(CONSENT, "one", choices="consent"),
        Question(CASE, "text"),
        *_of_records(schema),
        *(q for v in schema.perpetrators if v.public for q in _single(v, repeat=True)),
    )


@cache
def choices(schema: Schema | None = None) -> Mapping[str, tuple[str, ...]]:
    """Names of the choices of every list that a question has, by name of the list."""
    schema = schema or load_schema()
    found: dict[str, tuple[str, ...]] = {}
    for question in questions(schema):
        if question.choices and question.choices not in found:
            found[question.choices] = _listed(question, schema)
    return found


def _listed(question: Question, schema: Schema) -> tuple[str, ...]:
    if question.kind == "many":
        return (*question.variables, NONE, NOT_ASKED)
    if not question.variables:
        return (YES, NO)
    variable = schema.variable(question.variables[0])
    if variable.name == ALLEGATION:
        return OF_ANYONE
    more = (NOT_ASKED,) if variable.kind == "flag" else ()
    return (*schema.recorded(variable.name), *more)


def _of_records(schema: Schema) -> Iterator[Question]:
    asked: set[str] = set()
    for variable in schema.records:
        if not variable.public:
            continue
        if variable.kind == "flag" and variable.group:
            if variable.group not in asked:
                asked.add(variable.group)
                flags = tuple(
                    v.name
                    for v in schema.records
                    if v.group == variable.group and v.kind == "flag" and v.public
                )
                yield Question(f"{variable.group}_kinds", "many", flags, f"{variable.group}_kinds")
        else:
            yield from _single(variable)


def _single(variable: Variable, *, repeat: bool = False) -> Iterator[Question]:
    """The question for one variable; for the age of the person two, years first."""
    name, of = variable.name, (variable.name,)
    match variable.kind:
        case "year":
            yield Question(name, "integer", of, bounds=YEARS, repeat=repeat)
        case "code" | "status" | "country" | "flag":
            if name == AGE:
                yield Question(AGE_YEARS, "integer", of, bounds=(0, OLDEST))
            where = AGE_YEARS if name == AGE else ""
            yield Question(name, "one", of, variable.code_list or "", where=where, repeat=repeat)
        case "count":
            yield Question(name, "integer", of, bounds=(0, 1000), repeat=repeat)
        case "entity":  # the contributor is known by its agreement
            return
