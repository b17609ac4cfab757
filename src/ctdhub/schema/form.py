"""The form that asks for the schema: its questions, what they say, and the form as an XLSForm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ctdhub.core.files import made_whole
from ctdhub.core.i18n import NATIVE_NAMES, _, current, language
from ctdhub.schema import labels
from ctdhub.schema.model import AGE, ALLEGATION, OF_ANYONE, YEARS, Schema, Variable, load_schema

if TYPE_CHECKING:
    from openpyxl import Workbook


# --------------------------------------------------------------------------------------------------
# The questions of a form that asks for the schema: names, choices and conditions, no words.
#
# A form is made from the schema and never listed, so that a new variable is asked as soon as it
# exists.  It asks for no name, and for an age rather than a date of birth.  Words are in
# ``form_words``, the file that KoboToolbox and ODK read is written by ``xlsform``.

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
    lists: dict[str, tuple[str, ...]] = {}
    for question in questions(schema):
        if question.choices and question.choices not in lists:
            lists[question.choices] = _listed(question, schema)
    return lists


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


# --------------------------------------------------------------------------------------------------
# What the form of the schema says, in the language in force.


def form_title() -> str:
    """The title of the form."""
    return _("Case record for a counter-trafficking data hub")


def question_label(asked: Question) -> str:
    """What a question asks."""
    own = {
        CONSENT: _(
            "Has the person been informed what this record is used for, and do they consent to it?"
        ),
        CASE: _("Number of the case"),
        AGE_YEARS: _("Age in completed years, at registration"),
    }
    if asked.name in own:
        return own[asked.name]
    if asked.kind == "many":
        group = load_schema().variable(asked.variables[0]).group
        return labels.group_label(group or "", current())
    return labels.label(asked.variables[0], current())


def question_hint(asked: Question) -> str:
    """What helps to answer it, the empty text where nothing more is to be said."""
    if asked.name == CASE:
        return _("A number of your own, one for each person. Never write a name here.")
    if asked.name == CONSENT:
        return _("Without consent nothing more is asked, and nobody is counted.")
    if asked.kind == "many":
        return _(
            "Select all that the record says. What you do not select counts as no; leave the "
            "question empty where the record says nothing."
        )
    return labels.definition(asked.variables[0], current()) if asked.variables else ""


def choice_label(asked: Question, name: str) -> str:
    """What a choice of a question says."""
    own = {NONE: _("None of these"), NOT_ASKED: _("Not asked"), YES: _("Yes"), NO: _("No")}
    if asked.kind == "many" and name in asked.variables:
        return labels.label(name, current())
    if name in own:
        return own[name]
    return labels.code_label(asked.variables[0], name, current())


def number_wanted(asked: Question) -> str:
    """What is said where a number is out of bounds."""
    low, high = asked.bounds or (0, 0)
    return _("Give a whole number from {least} to {most}.").format(least=low, most=high)


def one_alone() -> str:
    """What is said where "none" or "not asked" is selected with another choice."""
    return _("“None of these” and “Not asked” cannot be selected with another choice.")


def each_perpetrator() -> str:
    """The title of the part that is asked of each alleged perpetrator."""
    return _("Each alleged perpetrator that the record describes")


# --------------------------------------------------------------------------------------------------
# The form of the schema as an XLSForm, which KoboToolbox and ODK read.
#
# Standard: https://xlsform.org, sheets ``survey``, ``choices`` and ``settings``, one column of
# labels for each language (``label::English (en)``).

Row = dict[str, str]


def write(out: Path, langs: Sequence[str]) -> None:
    """Write the form into a new file.

    Args:
        out: an ``.xlsx`` file.
        langs: languages of its labels, the first one its default.

    Raises:
        OSError: the file cannot be written.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for name, rows in sheets(langs).items():
        _put(book, name, rows)
    with made_whole(out) as part:
        book.save(part)


def sheets(langs: Sequence[str]) -> dict[str, list[Row]]:
    """The rows of the three sheets, as column to text."""
    return {
        "survey": [row for asked in _blocks(langs) for row in asked],
        "choices": list(_choices(langs)),
        "settings": [
            {
                "form_title": _in(langs[0], form_title),
                "form_id": FORM_ID,
                "version": load_schema().version,
                "default_language": _language_name(langs[0]),
            }
        ],
    }


def _blocks(langs: Sequence[str]) -> Iterable[list[Row]]:
    asked = questions()
    yield [_question(q, langs) for q in asked if not q.repeat]
    if repeated := [_question(q, langs) for q in asked if q.repeat]:
        heading = _labels("label", langs, each_perpetrator)
        opening = {"type": "begin_repeat", "name": REPEAT, "relevant": _CONSENTED}
        yield [opening | heading, *repeated, {"type": "end_repeat"}]


_CONSENTED = f"${{{CONSENT}}} = '{YES}'"


def _question(asked: Question, langs: Sequence[str]) -> Row:
    kinds = {"one": f"select_one {asked.choices}", "many": f"select_multiple {asked.choices}"}
    row = {"type": kinds.get(asked.kind, asked.kind), "name": asked.name}
    row |= _labels("label", langs, partial(question_label, asked))
    row |= _labels("hint", langs, partial(question_hint, asked))
    if asked.name == CONSENT:
        row["required"] = "yes"
    elif not asked.repeat:
        unanswered = f" and ${{{asked.where}}} = ''" if asked.where else ""
        row["relevant"] = _CONSENTED + unanswered
    if asked.bounds:
        low, high = asked.bounds
        row["constraint"] = f". >= {low} and . <= {high}"
        row |= _labels("constraint_message", langs, partial(number_wanted, asked))
    if asked.kind == "many":
        alone = " or ".join(f"selected(., '{name}')" for name in (NONE, NOT_ASKED))
        row["constraint"] = f"not(({alone}) and count-selected(.) > 1)"
        row |= _labels("constraint_message", langs, one_alone)
    if asked.choices and len(choices()[asked.choices]) > _MANY:
        row["appearance"] = "minimal autocomplete"
    return row


_MANY = 30
"""Choices above which a list is searched by typing."""


def _choices(langs: Sequence[str]) -> Iterable[Row]:
    first = {q.choices: q for q in reversed(questions()) if q.choices}
    for name, listed in choices().items():
        for choice in listed:
            say = partial(choice_label, first[name], choice)
            yield {"list_name": name, "name": choice} | _labels("label", langs, say)


def _labels(column: str, langs: Sequence[str], say: Callable[[], str]) -> Row:
    said = {f"{column}::{_language_name(lang)}": _in(lang, say) for lang in langs}
    return said if any(said.values()) else {}


def _in(lang: str, say: Callable[[], str]) -> str:
    with language(lang):
        return say()


def _language_name(lang: str) -> str:
    return f"{NATIVE_NAMES[lang]} ({lang})"


def _put(book: Workbook, name: str, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    sheet = book.create_sheet(name)
    sheet.append(columns)
    for row in rows:
        sheet.append([row.get(column) or None for column in columns])
