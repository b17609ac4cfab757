"""The text of a drafted mapping: each line with its reason, doubts and questions as comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.i18n import Numeral, Text, joined, said
from ctdhub.schema.country_names import look_up
from ctdhub.schema.roles import PERIOD
from ctdhub.sensitive.ingest.identifier_words import kind_of
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.totals import RULE as TOTALS
from ctdhub.sensitive.mapping.builtin_trial import BuiltinTrial
from ctdhub.sensitive.mapping.child_drafts import ChildRules
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.header_words import word
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal, texts_with_rows
from ctdhub.sensitive.mapping.proposals import month_first, sets_doubt
from ctdhub.sensitive.mapping.row_unit import SharedNumbers, people_in_a_row
from ctdhub.sensitive.mapping.tokens import TOKENS_COLUMN
from ctdhub.sensitive.mapping.vocabulary import vocabulary

LINE = 80
"""Characters of the settings of ``read`` up to which they stand on one line."""

TEXTS = 8
"""Texts of a column without a rule that are shown."""


@dataclass(frozen=True)
class Draft:
    """What a draft says.

    Attributes:
        raw, read: the file and how it was read.
        dates: the order of day and month, where it was stated.
        trial: what a built-in mapping for its headers made of it.
        unit: ``report`` or ``call`` where headers say that a row is one.
        glances: columns that are no identifiers, by name.
        findings, decisions: the identifiers, and what happens to each.
        shared: the column of the person key with what its shared numbers say.
        others: a column that says who a row is about, with its texts that are no victims.
        chosen: for each variable its rule, with other columns that may say the same.
        children: rules for child rows of perpetrators, if there are any.
        optional: columns that some record lacks in a format that leaves out what is empty.
        doubts: for a column why nothing is proposed.
        unmatched: columns that no rule reads.
    """

    raw: RawTable
    read: ReadOptions
    dates: str | None
    trial: BuiltinTrial | None
    unit: str | None
    glances: dict[str, Glance]
    findings: dict[str, IdentifierFinding]
    decisions: dict[str, str]
    shared: SharedNumbers | None
    others: tuple[str, list[str]] | None
    chosen: dict[str, tuple[Proposal, tuple[str, ...]]]
    children: ChildRules | None
    optional: tuple[str, ...]
    doubts: dict[str, Doubt]
    unmatched: tuple[str, ...]

    def proposals(self) -> Iterator[Proposal]:
        """The rules."""
        yield from (proposal for proposal, _rivals in self.chosen.values())

    def empty(self) -> list[str]:
        """Texts that mean "not recorded" in every column: those that no column means otherwise."""
        found = dict.fromkeys(t for column in self.glances.values() for t in column.empty)
        return [text for text in found if not self._meant(text)]

    def _meant(self, text: str) -> bool:
        key = word(text)
        return any(key in {word(t) for t in c.texts} for c in self.glances.values())

    def nulls(self, proposal: Proposal) -> list[str]:
        """Texts that mean "not recorded" for one rule alone."""
        column = self.glances.get(proposal.column)
        own = [text for text in column.empty if self._meant(text)] if column else []
        return [*dict.fromkeys((*proposal.null_values, *own))]


def as_yaml(draft: Draft) -> str:
    """The draft as the text of a mapping."""
    lines = [
        *_opening(draft),
        "version: 1",
        *_rows(draft),
        *_read(draft.read),
        *_dates(draft),
        *_empty(draft),
        *_optional(draft),
        *_identifiers(draft),
        *_tokens(draft.raw),
        *_exclude(draft),
        *_columns(draft),
        *_perpetrators(draft),
        *_left(draft),
    ]
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:
    """Any text, list or table of a rule on one line: JSON is YAML."""
    if value is True:
        return "true"
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return "# " + printable(text, 300)


def _note(text: Text) -> str:
    return _comment(said(text))


def _opening(draft: Draft) -> list[str]:
    lines = [_note(Text("Suggested for {file}: read every line.", file=draft.raw.file))]
    lines += [_note(note) for note in draft.raw.notes]
    if totals := sum(one["rule"] == TOTALS for one in draft.raw.rejects.to_pylist()):
        said = Text(
            "Rows that look like lines of totals: {n}. Under read, write totals: left_out to leave "
            "them out, or totals: records if they are records.",
            n=Numeral(totals),
        )
        lines.append(_note(said))
    if draft.trial:
        lines.append(_note(draft.trial.said()))
        if draft.trial.ignored:
            unknown = Text(
                "Texts of lists that none of its rules knows: {n}", n=Numeral(draft.trial.ignored)
            )
            lines.append(_note(unknown))
    return lines


def _rows(draft: Draft) -> list[str]:
    """The question what a row is; answered only where the headers say so."""
    if draft.unit:
        reason = Text("the headers say so; people are counted only with a person key")
        return [f"rows: {draft.unit}  {_note(reason)}"]
    ask = Text("What is one row of this file: a person, a report or a call? Write it here.")
    lines = [_note(ask), "# rows: person"]
    if several := people_in_a_row(draft.glances):
        warn = Text(
            "A row may hold several people, of whom one at most would be counted: {columns}. Ask "
            "for a file with a row for each.",
            columns=joined(several, ", "),
        )
        lines.insert(0, _note(warn))
    return lines


def _read(options: ReadOptions) -> list[str]:
    given = options.model_dump(exclude_defaults=True)
    inner = ", ".join(f"{key}: {_quoted(value)}" for key, value in given.items())
    if not given:
        return []
    reason = Text("how the file is laid out: compare it with the file")
    if options.skip_rows:
        reason = Text("the row below the names was taken for labels: compare it with the file")
    if len(inner) > LINE:
        return [f"read:  {_note(reason)}", *(f"  {k}: {_quoted(v)}" for k, v in given.items())]
    return [f"read: {{{inner}}}  {_note(reason)}"]


def _dates(draft: Draft) -> list[str]:
    if draft.dates is not None:
        stated = _note(Text("as it was stated"))
        return [f"dates: {draft.dates}  {stated}"]
    year = draft.chosen.get(PERIOD)
    column = draft.glances.get(year[0].column) if year else None
    if column and month_first(column):
        reason = _note(Text("more dates fit with the month first"))
        return [f"dates: mdy  {reason}"]
    return []


def _empty(draft: Draft) -> list[str]:
    reason = _note(Text("texts that mean “not recorded”"))
    return [f"empty: {_quoted(['', *draft.empty()])}  {reason}"]


def _optional(draft: Draft) -> list[str]:
    if not draft.optional:
        return []
    reason = Text("not in every record: such an export leaves out what was not answered")
    return [f"optional: {_quoted(list(draft.optional))}  {_note(reason)}"]


def _identifiers(draft: Draft) -> list[str]:
    if not draft.decisions:
        return []
    lines = ["identifiers:"]
    for column, decision in draft.decisions.items():
        reason = _reason(draft.findings[column])
        lines.append(f"  {_quoted(column)}: {decision}  {_note(reason)}")
        shared = draft.shared
        if shared and shared.column == column and (decision == "case" or shared.contradicted):
            lines.append("    " + _note(shared.said()))
            if decision == "case":
                also = Text(
                    "if a second column distinguishes the people who share a number: {line}"
                )
                second = _quoted(shared.line) if shared.line else "…"
                line = f"key: [{_quoted(column)}, {second}]"
                lines.append("    " + _note(also.holding(line=line)))
    return lines


def _reason(finding: IdentifierFinding) -> Text:
    if vocabulary().is_token(finding.column):
        return Text("The column name suggests a token made for linking.")
    return finding.reason


def _tokens(raw: RawTable) -> list[str]:
    if TOKENS_COLUMN not in raw.table.column_names:
        return []
    reason = Text("keyed tokens; the report on links compares them")
    return [f"tokens: [{TOKENS_COLUMN}]  {_note(reason)}"]


def _exclude(draft: Draft) -> list[str]:
    """Rows about somebody else, as a rule to be taken over by hand."""
    if not draft.others:
        return []
    column, texts = draft.others
    rule = f"{{rule: not-a-victim, when: {{{_quoted(column)}: {_quoted(texts)}}}}}"
    rows = Numeral(draft.glances[column].rows_of(texts))
    ask = Text(
        "Rows that may not be about a victim: {n}. If so, remove the # before the next two lines:",
        n=rows,
    )
    return [_note(ask), "# exclude:", f"#   - {rule}"]


def _columns(draft: Draft) -> list[str]:
    if not draft.chosen:
        return ["columns: {}  " + _note(Text("no column was recognised"))]
    lines = ["columns:"]
    for target, (proposal, rivals) in draft.chosen.items():
        source = [*proposal.sources] if proposal.also else proposal.column
        rule = {"from": source, **proposal.rule}
        doubts = list(proposal.doubts)
        if vocabulary().variables(proposal.column).get(target, 1.0) < 1:
            vague = Text("the header may mean something else: compare it with the form")
            doubts.append(vague)
        if nulls := draft.nulls(proposal):
            rule["null_values"] = nulls
            column = draft.glances[proposal.column]
            taken = Text("taken for “not recorded”; if that is wrong, map it: {texts}")
            doubts.append(taken.holding(texts=texts_with_rows(column, nulls)))
        if rivals:
            other = Text("these columns may say it too: {columns}")
            doubts.append(other.holding(columns=", ".join(dict.fromkeys(rivals))))
        inner = ", ".join(f"{key}: {_quoted(value)}" for key, value in rule.items())
        lines.append(f"  {target}: {{{inner}}}  {_note(proposal.reason)}")
        lines += ["    " + _note(doubt) for doubt in doubts]
    return lines


def _perpetrators(draft: Draft) -> list[str]:
    if not draft.children:
        return []
    reason = Text("each of its rows is taken for one alleged perpetrator")
    lines = ["perpetrators:", f"  child: {_quoted(draft.children.child)}  {_note(reason)}"]
    lines.append("  columns:")
    for target, proposal in draft.children.rules.items():
        rule = {"from": proposal.column, **proposal.rule}
        if proposal.null_values:
            rule["null_values"] = list(proposal.null_values)
        inner = ", ".join(f"{key}: {_quoted(value)}" for key, value in rule.items())
        lines.append(f"    {target}: {{{inner}}}  {_note(proposal.reason)}")
        lines += ["      " + _note(doubt) for doubt in proposal.doubts]
    return lines


def _left(draft: Draft) -> list[str]:
    if not draft.unmatched:
        return []
    lines = [_note(Text("Nothing is suggested for:"))]
    for name in draft.unmatched:
        reasons = [why for why in (_why(draft, name), sets_doubt(draft.glances[name])) if why]
        lines.append(_comment(f"  {name}: {said(joined(reasons, '; '))}"))
    return lines


def _why(draft: Draft, name: str) -> Text:
    column = draft.glances[name]
    doubt = draft.doubts.get(name)
    if not column.texts:
        return Text("it is empty")
    if vocabulary().about_others(name):
        return Text("it is about someone other than the person of the record")
    shown = column.shown and kind_of(name) != "name"
    texts = joined(column.texts[:TEXTS], ", ")
    if doubt:
        return joined([doubt.reason, texts], ": ") if doubt.shows and shown else doubt.reason
    if column.share(lambda text: len(text) > 3 and look_up(text).alpha3) >= 0.8:
        return Text("countries; of citizenship or of exploitation?")
    if shown:
        return texts
    return Text("{n} different texts", n=Numeral(len(column.texts)))
