"""Which of several records of one person counts, in words; ``merge_rules`` does it."""

from __future__ import annotations

from ctdhub.core.i18n import Named, Text
from ctdhub.schema.labels import label
from ctdhub.schema.model import Variable


def in_words(variable: Variable) -> Text:
    """The rule by which records of one person that differ in a variable become one value."""
    if variable.kind == "flag":
        return Text("yes where any record says yes, else no where any says no")
    if variable.kind == "status" or variable.furthest:
        return Text("the most advanced in any record")
    if leading := variable.beside:
        named = Named.of(lambda language: label(leading, language))
        return Text("that of the record with the most advanced {variable}", variable=named)
    return Text("that of the earliest record that has one, by year of registration")
