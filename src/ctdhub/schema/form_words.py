"""What the form of the schema says, in the language in force."""

from __future__ import annotations

from ctdhub.core.i18n import _, current
from ctdhub.schema import labels
from ctdhub.schema.form import AGE_YEARS, CASE, CONSENT, NO, NONE, NOT_ASKED, YES, Question
from ctdhub.schema.model import load_schema


def title() -> str:
    """The title of the form."""
    return _("Case record for a counter-trafficking data hub")


def question(asked: Question) -> str:
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


def hint(asked: Question) -> str:
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


def choice(asked: Question, name: str) -> str:
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
