"""A first mapping for an unknown file, with the reason for each line.

The steward owns the file and reads the suggestion where the file lies; it shows distinct texts of
coded columns.  Texts of columns that may identify people are never looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ctdhub.core.errors import UnreadableFile, printable
from ctdhub.core.i18n import _, said
from ctdhub.schema.country_names import look_up
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, PERIOD
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.formulas import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.readers import read_table
from ctdhub.sensitive.mapping.builtin import builtin, names, recognise
from ctdhub.sensitive.mapping.identifiers import PROPOSED
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.proposals import Glance, Proposal, glance, month_first, proposals
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


def read_to_suggest(path: Path, given: ReadOptions | None = None) -> tuple[RawTable, ReadOptions]:
    """A file read in the way that suits it: as it is laid out, or as a known format is.

    The templates of some formats have labels below the names, which no plain reading gets past.

    Args:
        path: the file.
        given: what is stated about it; the rest is looked for.

    Raises:
        FileError: the file cannot be read, and no known format helps; several sheets of it may
            hold the records (rule ``sheets``).
    """
    options = layout.look(path, given)
    try:
        raw = read_table(path, options)
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


def _as_known(path: Path, formats: Iterable[str]) -> tuple[RawTable, ReadOptions] | None:
    for options in (builtin(name).read for name in formats):
        try:
            raw = read_table(path, options)
        except UnreadableFile:
            continue
        if recognise(raw.table.column_names) is not None:
            return raw, options
    return None


def suggest(
    raw: RawTable, read: ReadOptions | None = None, dates: Literal["dmy", "mdy"] | None = None
) -> Suggestion:
    """Suggest a mapping for a file.

    Args:
        raw: the file as read.
        read: how it was read, where that was not the plain way.
        dates: the order of day and month, where its steward states it; else it is looked for.
    """
    raw = replace(raw, table=unescaped(raw.table))
    columns = [name for name in raw.table.column_names if name not in ("_row", TOKENS_COLUMN)]
    findings = {f.column: f for f in find_identifiers(raw) if f.column in columns}
    glances = [glance(raw.table, name) for name in columns if name not in findings]
    chosen = _choose(p for column in glances for p in proposals(column))
    by_name = {column.name: column for column in glances}
    year = chosen.get(PERIOD)
    decisions = _decisions(findings.values(), year)
    if AGE not in chosen and year and (born := _first(decisions, "band")):
        chosen[AGE] = Proposal(
            AGE,
            born,
            {"band": True, "at": year.column},
            1.0,
            _("the age on the date of registration"),
        )
    used = {p.column for p in chosen.values()}
    unmatched = tuple(column.name for column in glances if column.name not in used)
    known = recognise(columns)
    lines = [
        *_opening(raw, known),
        "version: 1",
        *_read(read or ReadOptions()),
        *_dates(dates, _mdy(year, by_name)),
        *_empty(glances),
        *_identifiers(decisions, findings),
        *_tokens(raw),
        *_columns(chosen),
        *_left(unmatched, by_name),
    ]
    text = "\n".join(lines) + "\n"
    return Suggestion(text, parse_mapping(text, "suggestion.yaml"), known, unmatched)


def _choose(found: Iterable[Proposal]) -> dict[str, Proposal]:
    """For each hub variable the surest proposal, in the schema's order."""
    best: dict[str, Proposal] = {}
    for proposal in sorted(found, key=lambda p: -p.score):
        best.setdefault(proposal.target, proposal)
    return {v.name: best[v.name] for v in load_schema().records if v.name in best}


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


def _first(decisions: dict[str, str], decision: str) -> str | None:
    return next((column for column, found in decisions.items() if found == decision), None)


def _tokens(raw: RawTable) -> list[str]:
    if TOKENS_COLUMN not in raw.table.column_names:
        return []
    return [f"tokens: [{TOKENS_COLUMN}]  # " + _("keyed tokens; the report on links compares them")]


def _mdy(year: Proposal | None, by_name: dict[str, Glance]) -> bool:
    return year is not None and year.column in by_name and month_first(by_name[year.column])


def _dates(stated: str | None, month_first: bool) -> list[str]:
    if stated is not None:
        return [f"dates: {stated}  # " + _("as it was stated")]
    return ["dates: mdy  # " + _("more dates fit with the month first")] if month_first else []


def _quoted(value: Any) -> str:
    """Any text, list or table of a rule on one line: JSON is YAML."""
    if value is True:
        return "true"
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return "# " + printable(text, 200)


def _opening(raw: RawTable, known: str | None) -> list[str]:
    lines = [_comment(_("Suggested for {file}: read every line.").format(file=raw.file))]
    lines += [_comment(said(note)) for note in raw.notes]
    if known:
        lines.append(
            _comment(
                _(
                    "The headers are those of {name}: use builtin {name} instead of this file."
                ).format(name=known)
            )
        )
    return lines


def _read(options: ReadOptions) -> list[str]:
    given = options.model_dump(exclude_defaults=True)
    inner = ", ".join(f"{key}: {_quoted(value)}" for key, value in given.items())
    if not given:
        return []
    reason = _("how the file is laid out: compare it with the file")
    if options.skip_rows:
        reason = _("the row below the names was taken for labels: compare it with the file")
    return [f"read: {{{inner}}}  {_comment(reason)}"]


def _empty(glances: list[Glance]) -> list[str]:
    texts = list(dict.fromkeys(["", *(text for column in glances for text in column.empty)]))
    reason = _comment(_("texts that mean “not recorded”"))
    return [f"empty: {_quoted(texts)}  {reason}"]


def _identifiers(decisions: dict[str, str], findings: dict[str, IdentifierFinding]) -> list[str]:
    if not decisions:
        return []
    lines = [
        f"  {_quoted(column)}: {decision}  {_comment(_reason(findings[column]))}"
        for column, decision in decisions.items()
    ]
    return ["identifiers:", *lines]


def _reason(finding: IdentifierFinding) -> str:
    if vocabulary().is_token(finding.column):
        return _("The column's name speaks of a token made for linking.")
    return said(finding.reason)


def _columns(chosen: dict[str, Proposal]) -> list[str]:
    if not chosen:
        return ["columns: {}  " + _comment(_("no column was recognised"))]
    lines = ["columns:"]
    for target, proposal in chosen.items():
        rule = {"from": proposal.column, **proposal.rule}
        inner = ", ".join(f"{key}: {_quoted(value)}" for key, value in rule.items())
        lines.append(f"  {target}: {{{inner}}}  {_comment(proposal.reason)}")
        lines += ["    " + _comment(doubt) for doubt in proposal.doubts]
    return lines


def _left(unmatched: tuple[str, ...], by_name: dict[str, Glance]) -> list[str]:
    if not unmatched:
        return []
    lines = [_comment(_("Nothing is suggested for:"))]
    for name in unmatched:
        column = by_name[name]
        if not column.texts:
            said = _("it is empty")
        elif vocabulary().about_others(name):
            said = _("it speaks of someone else than the person the record is about")
        elif column.share(lambda text: len(text) > 3 and look_up(text).alpha3) >= 0.8:
            said = _("countries; of citizenship or of exploitation?")
        elif column.coded and column.repeats:
            said = ", ".join(column.texts[:8])
        else:
            said = _("{n} different texts").format(n=len(column.texts))
        lines.append(_comment(f"  {name}: {said}"))
    return lines
