"""What a form says of the columns of its export: rules in names of choices, found by their labels.

A header such as ``nat`` says nothing and a cell such as ``3`` neither; the form has a label for
both.  A column is judged as if it held the labels, and what is found is written in the texts that
the cells hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import pyarrow as pa

from ctdhub.core.i18n import Text
from ctdhub.core.tables import fold
from ctdhub.schema.countries import country_said, look_up
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, kind_of
from ctdhub.sensitive.ingest.own_form import apart
from ctdhub.sensitive.ingest.survey_form import AskedQuestion, FormChoice, FormColumn, SurveyForm
from ctdhub.sensitive.mapping.drafting.proposals import Doubt, Glance, Proposal, proposals
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.parsers import band_of

YES_NO = {"1": "yes", "0": "no", "TRUE": "yes", "FALSE": "no"}
"""What a column of one choice holds."""

Hints = list[Proposal | Doubt]


@dataclass(frozen=True)
class FormProposals:
    """A form beside the columns of one export.

    Attributes:
        form: the form.
        table: the export as read.
        apart: columns whose cells were taken apart by whole labels as they were read.
    """

    form: SurveyForm
    table: pa.Table
    apart: frozenset[str] = frozenset()

    @cached_property
    def _columns(self) -> dict[str, FormColumn]:
        named = ((name, self.form.column(name)) for name in self.table.column_names)
        return {name: column for name, column in named if column is not None}

    def knows(self, name: str) -> bool:
        """Whether the form has a question for a column, which is not asked several times."""
        return name in self._columns and not self._columns[name].question.repeat

    def glance(self, column: Glance) -> Glance:
        """A column that the form knows as it is: no choice is empty by its name alone."""
        if not self.knows(column.name):
            return column
        return replace(column, texts=(*column.texts, *column.empty), empty=())

    def findings(self) -> dict[str, IdentifierFinding]:
        """Columns whose label speaks of an identifier, whatever their name; no closed lists."""
        findings, reason = {}, Text("The label of its question suggests an identifier.")
        for name, column in self._columns.items():
            kinds = [kind for said in column.question.labels if (kind := kind_of(said))]
            if kinds and not column.question.choices:
                findings[name] = IdentifierFinding(name, kinds[0], 1.0, reason)
        return findings

    def choices(self) -> dict[str, tuple[str, ...]]:
        """Columns of several labels without columns of their own, with all labels of each."""
        return {
            name: said
            for name, column in self._columns.items()
            if column.choice is None
            and column.question.kind == "many"
            and self.knows(name)
            and not self._details(column.question)
            and (said := self._labels_held(name, column.question))
        }

    def of(self, column: Glance) -> Hints:
        """Proposals and doubts for a column that the form knows."""
        known = self._columns[column.name]
        return [] if _about_others(known.question) else self._of(column, known)

    def of_child(self, column: Glance, child: str) -> Hints | None:
        """What a column of a child table of perpetrators is of each; None if the form is silent."""
        known = self.form.column(column.name, child)
        if known is None or not known.question.repeat or known.question.kind == "many":
            return None
        own = vocabulary().without_perpetrators
        labels = tuple(own(said) for said in known.question.labels)
        question = replace(known.question, name=own(known.question.name), labels=labels)
        seen = replace(column, texts=(*column.texts, *column.empty), empty=())
        return self._of(seen, FormColumn(question))

    def _of(self, column: Glance, known: FormColumn) -> Hints:
        question = known.question
        if question.kind == "many":
            details = self._details(question)
            if known.choice is not None:
                return list(self._detail(column.name, question, known.choice, details))
            if details:
                reason = Text("its choices have columns of their own, which are used instead")
                return [Doubt(column.name, reason)]
            return list(self._summary(column, question))
        if question.kind == "one" and question.choices:
            cells = _texts_held(column, question)
            if cells is None:
                return [Doubt(column.name, Text("it holds texts that are not choices of the form"))]
            return _best(_one(column, question, way, said, cells) for way, said in _ways(question))
        named = (replace(column, name=said) for _way, said in _ways(question))
        return _best([replace(p, column=column.name) for p in proposals(each)] for each in named)

    def _details(self, question: AskedQuestion) -> dict[str, FormChoice]:
        """Columns of the question's single choices that the file has."""
        return {
            name: column.choice
            for name, column in self._columns.items()
            if column.question == question and column.choice is not None
        }

    def _detail(
        self, name: str, question: AskedQuestion, choice: FormChoice, details: dict[str, FormChoice]
    ) -> Iterator[Proposal | Doubt]:
        """1 is yes; 0 is no where no choice says that nothing is known."""
        flag, reason = _flags(question).get(choice.name, (None, None))
        if flag is None or reason is None:
            if _flags(question) and not _says_nothing(choice):
                yield Doubt(name, Text("no yes/no variable for this choice of the form"))
            return
        same = [n for n, c in details.items() if _flags(question).get(c.name, ("",))[0] == flag]
        if name != same[0]:
            return
        unknown = {n: ["0", "FALSE"] for n, c in details.items() if _says_nothing(c)}
        rule: dict[str, Any] = {"map": YES_NO} | ({"when": unknown} if unknown else {})
        yield Proposal(flag, name, rule, 1.0, reason, also=tuple(same[1:]))

    def _summary(self, column: Glance, question: AskedQuestion) -> Iterator[Proposal]:
        """One cell of names with blanks between, or of labels that were taken apart."""
        by_label = column.name in self.apart
        flags = _flags(question)
        texts = {c.name: [*dict.fromkeys(filter(None, c.labels))] if by_label else [c.name]
                 for c in question.choices}  # fmt: skip
        nulls = [t for c in question.choices if _says_nothing(c) for t in texts[c.name]]
        of: dict[str, list[str]] = {}
        for name, (flag, _reason) in flags.items():
            of.setdefault(flag, []).append(name)
        for flag, names in of.items():
            has = [t for name in names for t in texts[name]]
            known = [t for said in texts.values() for t in said if t not in has and t not in nulls]
            rule: dict[str, Any] = {
                "split": ";" if by_label else " ", "has": has, "absent": "no", "known": known,
            }  # fmt: skip
            reason = flags[names[0]][1]
            yield Proposal(flag, column.name, rule, 0.99, reason, null_values=tuple(nulls))

    def _labels_held(self, name: str, question: AskedQuestion) -> tuple[str, ...]:
        """The labels of which all cells are made, none where the cells hold names."""
        cells = [text for text in self.table[name].drop_null().unique().to_pylist() if fold(text)]
        names = {fold(choice.name) for choice in question.choices}
        if not cells or all(set(fold(text).split()) <= names for text in cells):
            return ()
        for way in range(max(len(c.labels) for c in question.choices)):
            said = tuple(c.labels[way] for c in question.choices if way < len(c.labels))
            if all(apart(text, said) for text in cells):
                return said
        return ()


def _about_others(question: AskedQuestion) -> bool:
    """Whether a question, or the part of the form that it is in, is about somebody else."""
    own = vocabulary()
    said = [*question.labels, question.name]
    said += [text for group in question.groups for text in (group.name, *group.labels)]
    others = (t for t in said if t and (own.about_others(t) or own.about_perpetrators(t)))
    return not all(map(own.group_of, others))


def _ways(question: AskedQuestion) -> Iterator[tuple[int, str]]:
    """Headers to try: each label, then the name."""
    yield from ((way, said) for way, said in enumerate(question.labels) if said)
    yield 0, question.name


def _best(ways: Iterable[Hints]) -> Hints:
    """The proposals of the way that is surest; doubts only where no way gives a proposal."""
    every = [list(each) for each in ways]
    sure = [each for each in every if any(isinstance(p, Proposal) for p in each)]
    if not sure:
        return next((each for each in every if each), [])
    return max(sure, key=lambda each: max(p.score for p in each if isinstance(p, Proposal)))


def _texts_held(column: Glance, question: AskedQuestion) -> dict[str, str] | None:
    """What the cells hold for each choice: its name, or its label in one language, else None."""
    cells = {fold(text) for text in column.texts}
    ways = [{c.name: c.name for c in question.choices}]
    for way in range(max(len(c.labels) for c in question.choices)):
        ways.append({c.name: _label(c, way) for c in question.choices})
    fitting = (texts for texts in ways if cells <= set(map(fold, texts.values())))
    return next(fitting, None)


def _label(choice: FormChoice, way: int) -> str:
    """The label of a choice in a language, its name where there is none."""
    return (way < len(choice.labels) and choice.labels[way]) or choice.name


def _one(
    column: Glance, question: AskedQuestion, way: int, header: str, cells: dict[str, str]
) -> Hints:
    """A question of one choice, judged by labels; the rule names what the cells hold."""
    rows = {fold(text): column.rows[text] for text in column.texts}
    said = {c.name: _label(c, way) for c in question.choices}
    counts = {said[name]: rows.get(fold(text), 0) for name, text in cells.items()}
    if not any(counts.values()):
        counts = dict.fromkeys(counts, 1)
    unknown = {c.name for c in question.choices if _says_nothing(c)}
    texts = [text for name, text in said.items() if name not in unknown]
    seen = Glance(header, tuple(texts), (), counts, column.all)
    written = {} if said == cells else {said[name]: text for name, text in cells.items()}
    nulls = tuple(text for name, text in cells.items() if name in unknown)
    return [_written(each, column.name, texts, written, nulls) for each in proposals(seen)]


def _written(
    each: Proposal | Doubt, column: str, texts: list[str], written: dict[str, str],
    nulls: tuple[str, ...],
) -> Proposal | Doubt:  # fmt: skip
    """A proposal on labels as a rule on what the cells hold.

    Args:
        texts: the labels.
        written: what the cells hold for each label; empty where they hold the labels.
        nulls: what the cells hold that says nothing.
    """
    if isinstance(each, Doubt):
        return replace(each, column=column)
    more = tuple(written.get(text, text) for text in each.null_values)
    if not written:
        return replace(each, column=column, null_values=(*nulls, *more))
    rule = dict(each.rule)
    if rule.pop("country", False):
        said = {t: look_up(t).alpha3 or country_said(t) for t in texts}
        rule["map"] = {t: c for t, c in said.items() if c} | rule.get("map", {})
    if rule.pop("band", False):
        bands = load_schema().domain(each.target)
        rule["map"] = {t: b for t in texts if (b := band_of(fold(t), bands))}
    if rule.pop("year", False):
        rule["map"] = {t: t for t in texts}
    if "map" in rule:
        rule["map"] = {written.get(t, t): code for t, code in rule["map"].items()}
    if "has" in rule:
        rule["has"] = [written.get(t, t) for t in rule["has"]]
    return replace(each, column=column, rule=rule, null_values=(*nulls, *more))


def _says_nothing(choice: FormChoice) -> bool:
    """Whether a choice says that nothing is known: "don't know", "refused"."""
    return any(word(text) in vocabulary().empty for text in (choice.name, *choice.labels) if text)


@cache
def _flags(question: AskedQuestion) -> dict[str, tuple[str, Text]]:
    """The flag of each choice that names one, in the language that explains most of them."""
    best: dict[str, tuple[str, Text]] = {}
    for way, header in _ways(question):
        said = {_label(c, way): c.name for c in question.choices if not _says_nothing(c)}
        seen = Glance(header, tuple(said), rows=dict.fromkeys(said, 1), all=len(said))
        flags = {
            said[text]: (each.target, each.reason)
            for each in proposals(seen)
            if isinstance(each, Proposal)
            for text in each.rule.get("has", ())
        }
        best = max(best, flags, key=len)
    return best
