"""A first mapping for an unknown file, with the reason for each line.

The steward owns the file and reads the suggestion where the file lies; it shows distinct texts of
coded columns.  Texts of columns that may identify people are never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ctdhub.core.errors import UnreadableFile
from ctdhub.core.i18n import Text
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, PERIOD
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.formulas import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.shape.name_list import used
from ctdhub.sensitive.ingest.survey_form import SurveyForm
from ctdhub.sensitive.mapping.age_proposals import in_units, unit_beside
from ctdhub.sensitive.mapping.builtin import builtin, names, recognise
from ctdhub.sensitive.mapping.builtin_trial import BuiltinTrial, try_builtin
from ctdhub.sensitive.mapping.child_drafts import (
    child_rules,
    decided_with,
    identifiers_of_systems,
    left_out,
    record_proposals,
)
from ctdhub.sensitive.mapping.draft import Draft, as_yaml
from ctdhub.sensitive.mapping.form_proposals import FormProposals
from ctdhub.sensitive.mapping.glance import Glance, glance
from ctdhub.sensitive.mapping.identifiers import PROPOSED
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal
from ctdhub.sensitive.mapping.row_unit import SharedNumbers, not_victims, shared_numbers, unit_of
from ctdhub.sensitive.mapping.tokens import TOKENS_COLUMN
from ctdhub.sensitive.mapping.vocabulary import vocabulary


@dataclass(frozen=True)
class Suggestion:
    """A mapping to start from.

    Attributes:
        yaml: the text, with a reason for each line; it loads as a mapping.
        mapping: the loaded mapping.
        builtin: name of the built-in mapping that reads such a file, None where there is none.
        unmatched: columns for which nothing is suggested.
    """

    yaml: str
    mapping: Mapping
    builtin: str | None
    unmatched: tuple[str, ...]


def read_to_suggest(
    path: Path,
    given: ReadOptions | None = None,
    form: SurveyForm | None = None,
    called: Dictionary[str, str] | None = None,
) -> tuple[RawTable, ReadOptions]:
    """A file read in the way that suits it: as it is laid out, or as a known format is.

    The templates of some formats have labels below the names, which no plain reading gets past.

    Args:
        path: the file.
        given: what is stated about it; the rest is looked for.
        form: the form that the file is an export of.
        called: names for ids that the file has instead of names.

    Raises:
        FileError: the file cannot be read, and no known format helps; several sheets of it may
            hold the records (rule ``sheets``).
    """
    options = layout.look(path, given)
    if called:
        known_ids = used(called, read_isolated(path, options).column_names())
        options = options.model_copy(update={"names": known_ids})
    if form is not None:
        return _with_form(path, options, form)
    try:
        raw = read_isolated(path, options)
    except UnreadableFile as error:
        if error.rule != "empty-header" or (found := _as_known(path, names())) is None:
            raise
        return found
    if given is not None:
        return raw, options
    known = recognise(raw.table.column_names)
    if known is None and options.header_row > 1:
        laid_out = [name for name in names() if builtin(name).read != ReadOptions()]
        return _as_known(path, laid_out) or (raw, options)
    if known is None or builtin(known).read == ReadOptions():
        return raw, options
    return _as_known(path, [known]) or (raw, options)


def _with_form(path: Path, options: ReadOptions, form: SurveyForm) -> tuple[RawTable, ReadOptions]:
    """The form knows what is a group and what a choice, so no prefix is taken off."""
    options = options.model_copy(update={"kobo": False})
    raw = read_isolated(path, options)
    choices = FormProposals(form, raw.table).choices()
    if not choices:
        return raw, options
    options = options.model_copy(update={"choices": choices})
    return read_isolated(path, options), options


def _as_known(path: Path, formats: Iterable[str]) -> tuple[RawTable, ReadOptions] | None:
    for options in (builtin(name).read for name in formats):
        try:
            raw = read_isolated(path, options)
        except UnreadableFile:
            continue
        if recognise(raw.table.column_names) is not None:
            return raw, options
    return None


def suggest(
    raw: RawTable,
    read: ReadOptions | None = None,
    dates: Literal["dmy", "mdy"] | None = None,
    form: SurveyForm | None = None,
) -> Suggestion:
    """Suggest a mapping for a file.

    Args:
        raw: the file as read.
        read: how it was read, where that was not the plain way.
        dates: the order of day and month, where its steward states it; else it is looked for.
        form: the form that the file is an export of.
    """
    raw = replace(raw, table=unescaped(raw.table))
    read = (read or ReadOptions()).model_copy(update={"partial": False})  # a steward's decision
    columns = [name for name in raw.table.column_names if name not in ("_row", TOKENS_COLUMN)]
    findings = {f.column: f for f in find_identifiers(raw) if f.column in columns}
    told = FormProposals(form, raw.table, frozenset(read.choices)) if form else None
    findings |= told.findings() if told else {}
    of_system, known = identifiers_of_systems(raw)
    findings |= {c: of_system[c] for c in columns if c in of_system}
    glances = {name: glance(raw.table, name) for name in columns if name not in findings}
    if told:
        glances = {name: told.seen(column) for name, column in glances.items()}
    found = [
        each
        for column in glances.values()
        for each in (
            told.of(column) if told and told.knows(column.name) else record_proposals(raw, column)
        )
    ]
    found = list(in_units(found, unit_beside(glances.values())))
    chosen = _choose(_together([each for each in found if isinstance(each, Proposal)]))
    year = chosen.get(PERIOD)
    decisions = decided_with(known, _decisions(findings.values(), year))
    shared = _shared(raw, decisions, findings, glances.values())
    unit = unit_of(columns)
    numbered = _first(decisions, "hash")
    if numbered and (unit or (shared and shared.several_people)):
        decisions[numbered] = "case"
    if AGE not in chosen and year and (born := _first(decisions, "band")):
        chosen[AGE] = Proposal(
            AGE,
            born,
            {"band": True, "at": year.column},
            1.0,
            Text("the age on the date of registration"),
        )
    children = child_rules(raw, findings, told)
    used = {column for p in chosen.values() for column in p.sources}
    used |= {p.column for p in children.rules.values()} if children else set()
    trial = _trial(raw, columns, findings)
    draft = Draft(
        raw=raw,
        read=read,
        dates=dates,
        trial=trial,
        unit=unit,
        glances=glances,
        findings=findings,
        decisions=decisions,
        shared=shared,
        others=not_victims(glances.values()),
        chosen=_with_rivals(chosen, found),
        children=children,
        optional=left_out(raw, sorted(used)) if read.shaped or read.long else (),
        doubts={d.column: d for d in found if isinstance(d, Doubt)},
        unmatched=tuple(name for name in glances if name not in used),
    )
    text = as_yaml(draft)
    fits = trial.name if trial and trial.fits else None
    return Suggestion(text, parse_mapping(text, "suggestion.yaml"), fits, draft.unmatched)


def _trial(raw: RawTable, columns: list[str], found: Iterable[str]) -> BuiltinTrial | None:
    known = recognise(columns)
    return try_builtin(raw, known, found) if known else None


def _together(found: list[Proposal]) -> Iterator[Proposal]:
    """Lists whose columns differ by a number alone ("type 1", "type 2") as one list."""
    lists: dict[tuple[str, ...], list[Proposal]] = {}
    for proposal in found:
        if "has" in proposal.rule:
            header = re.sub(r"\d+", "", proposal.column)
            key = (proposal.target, header, proposal.rule.get("split", ""))
            lists.setdefault(key, []).append(proposal)
        else:
            yield proposal
    for first, *rest in lists.values():
        texts = dict.fromkeys(text for each in (first, *rest) for text in each.rule["has"])
        doubts = dict.fromkeys(doubt for each in (first, *rest) for doubt in each.doubts)
        rule = {**first.rule, "has": [*texts]}
        yield replace(
            first, rule=rule, doubts=tuple(doubts), also=tuple(each.column for each in rest)
        )


def _choose(found: Iterable[Proposal]) -> dict[str, Proposal]:
    """For each hub variable the surest proposal, in the schema's order."""
    best: dict[str, Proposal] = {}
    for proposal in sorted(found, key=lambda p: -p.score):
        best.setdefault(proposal.target, proposal)
    return {v.name: best[v.name] for v in load_schema().records if v.name in best}


def _with_rivals(
    chosen: dict[str, Proposal], found: list[Proposal | Doubt]
) -> dict[str, tuple[Proposal, tuple[str, ...]]]:
    """Each chosen proposal with the other columns that may say the same."""
    rivals: dict[str, list[str]] = {}
    for each in found:
        if isinstance(each, Proposal) and each.column not in chosen[each.target].sources:
            rivals.setdefault(each.target, []).append(each.column)
    return {name: (p, tuple(rivals.get(name, ()))) for name, p in chosen.items()}


def _decisions(findings: Iterable[IdentifierFinding], year: Proposal | None) -> dict[str, str]:
    """A decision for each identifier; one column at most becomes the person key.

    A key that the contributor made for linking is preferred to the number of a case, which then
    serves withdrawals alone.
    """
    found = list(findings)
    keys = [f.column for f in found if vocabulary().is_token(f.column)]
    cases = [f.column for f in found if PROPOSED.get(f.kind) == "hash"]
    births = [f.column for f in found if PROPOSED.get(f.kind) == "band" and year is not None]
    decided = dict.fromkeys((f.column for f in found), "strip")
    decided |= dict.fromkeys(births[:1], "band")
    if not keys:
        return decided | dict.fromkeys(cases[:1], "hash")
    named = [column for column in cases if column not in keys]
    return decided | dict.fromkeys(keys[:1], "token") | dict.fromkeys(named[:1], "case")


def _shared(
    raw: RawTable,
    decisions: dict[str, str],
    findings: dict[str, IdentifierFinding],
    glances: Iterable[Glance],
) -> SharedNumbers | None:
    """What the shared numbers of the person key say, None where none is shared."""
    if (number := _first(decisions, "hash")) is None:
        return None
    births = [f.column for f in findings.values() if f.kind == "birth_date"]
    return shared_numbers(raw.table, number, births, glances)


def _first(decisions: dict[str, str], decision: str) -> str | None:
    return next((column for column, found in decisions.items() if found == decision), None)
