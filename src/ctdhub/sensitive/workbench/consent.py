"""The column that says who consented: rows without a yes are offered to be left out, with counts.

A rule keeps the texts that say yes rather than leaving out those that say no, so that a text which
nobody has seen yet counts as no consent.  Blanks are neither: a person decides about them.
"""

from __future__ import annotations

from typing import NamedTuple

from ctdhub.core.i18n import Numeral, Text, many
from ctdhub.core.text import fold
from ctdhub.sensitive.ingest.identifier_words import words as words_of
from ctdhub.sensitive.mapping.header_words import says, word
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.opened import OpenedFile
from ctdhub.sensitive.workbench.operations import Operation

NO_CONSENT = "no-consent"
"""Name of the exclusion."""


class Consent(NamedTuple):
    """What a column says of consent, in rows.

    Attributes:
        column: its name.
        yes: the texts that say yes; none where the name of the column turns a yes round.
        agreed, refused, blank, other: rows that say yes, no, nothing, or something else.
    """

    column: str
    yes: tuple[str, ...]
    agreed: int
    refused: int
    blank: int
    other: int


def turned_round(column: str) -> bool:
    """Whether the name of a column about consent may make a yes mean no: a person decides.

    >>> turned_round("Consent withdrawn"), turned_round("Consent (yes/no)")
    (True, False)
    """
    words = vocabulary().not_consent
    name = f" {' '.join(words_of(column))} "
    for answers in words["yes_no"]:
        name = name.replace(f" {answers} ", " ")
    said = name.split()
    return any(one in words["words"] or any(p in one for p in words["parts"]) for one in said)


def about_consent(file: OpenedFile, mapping: Mapping, column: str) -> Consent | None:
    """What a column says of consent; None where its name does not speak of it."""
    if not says(column, vocabulary().consent) or column not in file.codes.column_names:
        return None
    silent = {"", *map(fold, mapping.empty)}
    rows = {"yes": 0, "no": 0, "blank": 0, "": 0}
    yes = []
    for text, n in file.counts(column):
        kind = "blank" if fold(text) in silent else _answer(text)
        rows[kind] += n
        if kind == "yes":
            yes.append(text)
    blank = rows["blank"] + file.rows - sum(rows.values())
    if any(fold(text) not in silent and text.strip().isdigit() and text not in yes
           and not vocabulary().yes_no([text]) for text, _n in file.counts(column)):  # fmt: skip
        yes = []  # codes of a list: nobody knows which of them means yes
    if turned_round(column):
        yes = []
    return Consent(column, tuple(yes), rows["yes"], rows["no"], blank, rows[""])


def _answer(text: str) -> str:
    """Whether a text below such a header says "yes" or "no"; "" where it is neither."""
    known = vocabulary().yes_no([text])
    return known[text] if known else vocabulary().consent_answers.get(word(text), "")


def decisions(found: Consent) -> list[tuple[Text, Text, Operation]]:
    """What can be decided about the rows: label, reason, operation; none where nothing says yes."""
    if not found.yes:
        return []
    without, said = found.refused + found.blank + found.other, account(found)
    if not found.blank:
        all_others = many(
            "leave out {n} row without a yes", "leave out {n} rows without a yes", without
        )
        return [(all_others, said, _kept(found, found.yes))]
    strict = many(
        "leave out {n} row without a yes, empty cells too",
        "leave out {n} rows without a yes, empty cells too",
        without,
    )
    lenient = many(
        "leave out {n} row, keep those that are empty",
        "leave out {n} rows, keep those that are empty",
        without - found.blank,
    )
    return [
        (strict, said, _kept(found, found.yes)),
        (lenient, said, _kept(found, (*found.yes, ""))),
    ]


def account(found: Consent) -> Text:
    """The rows by what the column says."""
    return Text(
        "consent: yes in {yes} rows, no in {no}, empty in {empty}, something else in {other}",
        yes=Numeral(found.agreed),
        no=Numeral(found.refused),
        empty=Numeral(found.blank),
        other=Numeral(found.other),
    )


def _kept(found: Consent, texts: tuple[str, ...]) -> Operation:
    rule = {"unless": {found.column: [*texts]}}
    return {"op": "exclude", "name": NO_CONSENT, "rule": rule}
