"""A first mapping for an unknown file, as text with reasons, and columns that it leaves unread."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Mapping as Dictionary
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from ctdhub.core.errors import HubError, UnreadableFile, error, printable
from ctdhub.core.i18n import Numeral, Text, joined, said
from ctdhub.core.tables import ROW, fold
from ctdhub.schema.countries import country_said, look_up
from ctdhub.schema.model import AGE, PERIOD, YEARS, load_schema
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.delimited import TABLE, code_page, unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers, kind_of
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.shape.trees import used
from ctdhub.sensitive.ingest.survey_form import SurveyForm
from ctdhub.sensitive.ingest.tidy import has_names
from ctdhub.sensitive.mapping.builtin import builtin, names, recognise
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST
from ctdhub.sensitive.mapping.drafting import proposals, row_unit
from ctdhub.sensitive.mapping.drafting.form_proposals import FormProposals
from ctdhub.sensitive.mapping.drafting.row_unit import WhoCounts
from ctdhub.sensitive.mapping.drafting.vocabulary import ROOTED, WEAK, vocabulary, word
from ctdhub.sensitive.mapping.drafting.written_ages import years_in
from ctdhub.sensitive.mapping.evaluation import as_codes
from ctdhub.sensitive.mapping.identifiers import PROPOSED, TOKENS_COLUMN
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.parsers import kinds_of
from ctdhub.sensitive.mapping.run import harmonise

# --------------------------------------------------------------------------------------------------
# A built-in mapping tried on the values of a file before anybody is told to use it.

ROWS = 5_000
"""Rows on which a built-in mapping is tried."""

MOST_REJECTED = 0.1
"""Share of rejected rows up to which a built-in mapping is recommended."""


@dataclass(frozen=True)
class BuiltinTrial:
    """What a built-in mapping made of the first rows of a file.

    Attributes:
        name: the built-in mapping.
        rows: rows tried.
        rejected: rows of them that it rejected; all where it refused the file.
        ignored: texts of lists that none of its rules knows.
    """

    name: str
    rows: int
    rejected: int
    ignored: int

    @property
    def fits(self) -> bool:
        """Whether it is to be recommended."""
        return self.rejected <= MOST_REJECTED * self.rows

    def advice(self) -> Text:
        """The advice."""
        message = Text("The headers are those of {name}: use builtin {name} instead of this file.")
        if self.rejected:
            message = Text(
                "The headers are those of {name}; builtin {name} rejects {n} of {all} rows."
            )
        return message.holding(name=self.name, n=Numeral(self.rejected), all=Numeral(self.rows))


def try_builtin(raw: RawTable, name: str, identifiers: Iterable[str] = ()) -> BuiltinTrial:
    """Try a built-in mapping on the first rows of a file.

    Args:
        raw: the file as read.
        name: the built-in mapping.
        identifiers: columns that may identify people; those that it does not decide, and which
            the steward decides beside it, are left out.
    """
    mapping = builtin(name)
    decided = {fold(column) for column in (*mapping.identifiers, *mapping.tokens)}
    part = raw.table.slice(0, ROWS)
    part = part.drop_columns([c for c in identifiers if fold(c) not in decided])
    part = part.drop_columns(row_unit.undecided(as_codes(part), mapping))
    none, n = raw.rejects.slice(0, 0), part.num_rows
    tried = replace(raw, table=part, rejects=none, rows_read=n)
    try:
        done = harmonise(tried, mapping, "trial", YEARS, bytes(32))
    except HubError:
        return BuiltinTrial(name, part.num_rows, part.num_rows, 0)
    ignored = {entry.sources: entry.ignored for entry in done.lineage}
    return BuiltinTrial(name, part.num_rows, done.conservation.rejected, sum(ignored.values()))


# --------------------------------------------------------------------------------------------------
# The text of a drafted mapping: each line with its reason, doubts and questions as comments.

LINE = 80
"""Characters of the settings of ``read`` up to which they stand on one line."""


class Draft:
    """What a draft says.

    Args:
        raw, read: the file and how it was read.
        dates: the order of day and month, where it was stated.
        form: the form that the file is an export of.

    Attributes:
        nobody: rows that look like totals or notes; ``raw`` is the file without them.
        findings, decisions: the identifiers, and what happens to each.
        glances: columns that are no identifiers, by name.
        hints: what each of them may be, and doubts.
        chosen: for each variable its rule.
        follows: further rules, by which variables follow from others.
        unit: ``report`` or ``call`` where headers say that a row is one, or where it holds counts.
        counts: what is said of a table of counts, None where it is none.
        shared: the column of the person key with what its shared numbers say.
        children: rules for child rows of perpetrators, if there are any.
        used: columns that a rule reads.
        trial: what a built-in mapping for its headers made of it.
    """

    def __init__(
        self, raw: RawTable, read: ReadOptions, dates: str | None, form: SurveyForm | None
    ) -> None:
        table = unescaped(raw.table)
        nobody = replace(raw, table=table).unlike().rows
        people = table.filter(pa.array(~nobody))
        rows = people.num_rows + raw.rejects.num_rows
        self.raw = raw = replace(raw, table=people, rows_read=rows)
        self.read, self.dates, self.nobody = read, dates, int(nobody.sum())
        columns = [name for name in people.column_names if name not in (ROW, TOKENS_COLUMN)]
        findings = {f.column: f for f in find_identifiers(raw) if f.column in columns}
        survey = FormProposals(form, people, frozenset(read.choices)) if form else None
        of_system, known = row_unit.identifiers_of_systems(raw)
        findings |= survey.findings() if survey else {}
        self.findings = findings | {c: of_system[c] for c in columns if c in of_system}
        self.glances = {c: proposals.glance(people, c) for c in columns if c not in self.findings}
        if survey:
            self.glances = {name: survey.glance(column) for name, column in self.glances.items()}
        every = (
            survey.of(column)
            if survey and survey.knows(column.name)
            else row_unit.record_proposals(raw, column)
            for column in self.glances.values()
        )
        hints = (each for own in every for each in own)
        self.hints = list(proposals.in_units(hints, proposals.unit_beside(self.glances.values())))
        self.unit = row_unit.unit_of(columns)
        of_child = survey.of_child if survey else None
        self.children = row_unit.child_rules(raw, self.findings, of_child)
        recognised = recognise(columns)
        self.trial = try_builtin(raw, recognised, self.findings) if recognised else None
        self._decide(known)

    def _decide(self, known: dict[str, str]) -> None:
        """Choose a rule for each variable, and say what becomes of identifiers."""
        offers = [each for each in self.hints if isinstance(each, proposals.Proposal)]
        chosen = _choose(_together(offers))
        year = chosen.get(PERIOD)
        if year and year.score <= WEAK and (other := self._other_dates(year)):
            unsure = Text("several columns hold dates; which says when the person was registered?")
            self.hints += [proposals.Doubt(column, unsure) for column in (year.column, *other)]
            del chosen[PERIOD]
        year = chosen.get(PERIOD)
        decisions = row_unit.decided_with(known, _decisions(self.findings.values(), year))
        number, self.shared = _first(decisions, "hash"), None
        if number is not None:
            births = [f.column for f in self.findings.values() if f.kind == "birth_date"]
            columns = self.glances.values()
            self.shared = row_unit.shared_numbers(self.raw.table, number, births, columns)
            if self.unit or (self.shared and self.shared.several_people):
                decisions[number] = "case"
        self.decisions = decisions
        if AGE not in chosen and year and (born := _first(decisions, "band")):
            rule, why = (
                {"band": True, "at": year.column},
                Text("the age on the date of registration"),
            )
            chosen[AGE] = proposals.Proposal(AGE, born, rule, 1.0, why)
        whole = {name: p.whole() for name, p in chosen.items()}
        rules, self.follows = proposals.with_implied(whole)
        self.chosen = {
            name: replace(p, rule={k: v for k, v in rules[name].items() if k != "from"})
            for name, p in chosen.items()
        }
        read = {name: proposal.sources for name, proposal in chosen.items()}
        self.counts = row_unit.counted_people(self.glances.values(), read)
        self.unit = self.unit or ("report" if self.counts else None)
        self.used = {column for p in self.chosen.values() for column in p.sources}
        self.used |= {p.column for p in self.children.rules.values()} if self.children else set()

    def _other_dates(self, year: proposals.Proposal) -> list[str]:
        """Columns beside a weak one whose dates are of other years."""
        own = self._years(year.column)
        dated = [c.name for c in self.glances.values() if c.share(_is_date) >= DATED]
        return [name for name in dated if self._years(name) != own]

    def _years(self, name: str) -> list[str | None]:
        """The year of each row's date."""
        texts = self.raw.table[name].to_pylist()
        return [text and DAY_FIRST.year(fold(text)) for text in texts]

    @cached_property
    def counted(self) -> dict[str, WhoCounts]:
        """Columns without a rule that say who is counted."""
        open_ = {name: self.glances[name] for name in self.unmatched}
        return {name: who for name, one in open_.items() if (who := row_unit.who_counts_in(one))}

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Columns that no rule reads."""
        return tuple(name for name in self.glances if name not in self.used)

    @property
    def short_years(self) -> bool:
        """Whether years of registration have two digits; of births they would mean another."""
        year = self.chosen.get(PERIOD)
        births = "band" in self.decisions.values()
        column = self.glances.get(year.column) if year and not births else None
        return column is not None and bool(proposals.short_years(column, column.texts))

    def rivals(self, target: str) -> list[str]:
        """Other columns that may say the same as the chosen one."""
        own = self.chosen[target].sources
        offers = (e for e in self.hints if isinstance(e, proposals.Proposal) and e.target == target)
        return [name for name in dict.fromkeys(e.column for e in offers) if name not in own]

    def empty(self) -> list[str]:
        """Texts that mean "not recorded" in every column: those that no column means otherwise."""
        texts = dict.fromkeys(t for column in self.glances.values() for t in column.empty)
        return [text for text in texts if not self._has_meaning(text)]

    def _has_meaning(self, text: str) -> bool:
        key = word(text)
        return any(key in {word(t) for t in c.texts} for c in self.glances.values())

    def nulls(self, proposal: proposals.Proposal) -> list[str]:
        """Texts that mean "not recorded" for one rule alone."""
        column = self.glances.get(proposal.column)
        own = [text for text in column.empty if self._has_meaning(text)] if column else []
        return [*dict.fromkeys((*proposal.null_values, *own))]


DATED = 0.6
"""Share of the texts of a column from which it holds dates."""


def _is_date(text: str) -> bool:
    return DAY_FIRST.date(fold(text)) is not None or MONTH_FIRST.date(fold(text)) is not None


def as_yaml(draft: Draft) -> str:
    """The draft as the text of a mapping."""
    asked = map(_note, questions(draft))
    lines = [*_opening(draft), *asked, *_counted(draft), "version: 1", *_whole_file(draft)]
    lines += [*_identifiers(draft), *_columns(draft), *_perpetrators(draft)]
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:
    """Any text, list or table of a rule on one line: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return "# " + printable(text, 300)


def _note(text: Text) -> str:
    return _comment(said(text))


def _with(line: str, reason: Text) -> str:
    return f"{line}  {_note(reason)}"


def _opening(draft: Draft) -> Iterator[str]:
    yield _note(Text("Suggested for {file}: read every line.", file=draft.raw.file))
    yield from map(_note, draft.raw.notes)
    if draft.nobody:
        lines = Text(
            "Rows that look like totals or notes: {n}. Under read, write notes: left_out to leave "
            "them out, or notes: records if they are records."
        )
        yield _note(lines.holding(n=Numeral(draft.nobody)))
    if draft.trial:
        yield _note(draft.trial.advice())
        if draft.trial.ignored:
            unknown = Text("Texts of lists that none of its rules knows: {n}")
            yield _note(unknown.holding(n=Numeral(draft.trial.ignored)))


def _whole_file(draft: Draft) -> Iterator[str]:
    """What a row is, how the file is read, and what its texts mean in every column."""
    if draft.counts:
        yield _note(draft.counts)
    if draft.unit:
        reason = Text("the headers say so; people are counted only with a person key")
        if draft.counts:
            reason = Text("the cells hold counts; people are counted only with a person key")
        yield _with(f"rows: {draft.unit}", reason)
    else:  # a question
        if several := row_unit.people_in_a_row(draft.glances):
            warn = Text(
                "A row may hold several people, of whom one at most would be counted: {columns}. "
                "Ask for a file with a row for each."
            )
            yield _note(warn.holding(columns=joined(several, ", ")))
        ask = Text("What is one row of this file: a person, a report or a call? Write it here.")
        yield from (_note(ask), "# rows: person")
    yield from _read(draft.read)
    year = draft.chosen.get(PERIOD)
    column = draft.glances.get(year.column) if year else None
    order, why = draft.dates, Text("as it was stated")
    if order is None and column and proposals.month_first(column):
        order, why = "mdy", Text("more dates fit with the month first")
    if draft.short_years:
        settings = {"order": order} if order else {}
        said_so = Text("years of two digits are of this century")
        yield _with(f"dates: {{{_inner(settings | {'century': proposals.CENTURY})}}}", said_so)
    elif order:
        yield _with(f"dates: {order}", why)
    silent = _quoted(["", *draft.empty()])
    yield _with(f"empty: {silent}", Text("texts that mean “not recorded”"))
    read, used = draft.read, sorted(draft.used)
    if optional := row_unit.left_out(draft.raw, used) if read.shaped or read.long else ():
        reason = Text("not in every record: such an export leaves out what was not answered")
        yield _with(f"optional: {_quoted(optional)}", reason)


def _read(options: ReadOptions) -> Iterator[str]:
    settings = options.model_dump(exclude_defaults=True)
    inner = _inner(settings)
    reason = Text("how the file is laid out: compare it with the file")
    if options.skip_rows:
        reason = Text("the row below the names was taken for labels: compare it with the file")
    if len(inner) > LINE:
        yield _with("read:", reason)
        yield from (f"  {key}: {_quoted(value)}" for key, value in settings.items())
    elif settings:
        yield _with(f"read: {{{inner}}}", reason)


def _identifiers(draft: Draft) -> Iterator[str]:
    if draft.decisions:
        yield "identifiers:"
    for column, decision in draft.decisions.items():
        reason = draft.findings[column].reason
        if vocabulary().is_token(column):
            reason = Text("The column name suggests a token made for linking.")
        yield _with(f"  {_quoted(column)}: {decision}", reason)
        shared = draft.shared
        if shared and shared.column == column and (decision == "case" or shared.contradicted):
            yield "    " + _note(shared.note())
            if decision == "case":
                second = _quoted(shared.line) if shared.line else "…"
                line = f"key: [{_quoted(column)}, {second}]"
                also = Text(
                    "if a second column distinguishes the people who share a number: {line}"
                )
                yield "    " + _note(also.holding(line=line))
    if TOKENS_COLUMN in draft.raw.table.column_names:
        reason = Text("keyed tokens; the report on links compares them")
        yield _with(f"tokens: [{TOKENS_COLUMN}]", reason)


def _counted(draft: Draft) -> Iterator[str]:
    """The question who is counted, as rules to be taken over by hand."""
    if not draft.counted:
        return
    ask = Text(
        "Who is counted? No record is made of this file before each of these columns is decided: "
        "remove the # before exclude and before one line for each."
    )
    yield from (_note(ask), "# exclude:")
    taken: list[str] = []
    for name, said_of in draft.counted.items():
        yield _note(joined([name, said_of.account], ": "))
        own = {way.name: row_unit.free_name(way.name, taken) for way in said_of.ways}
        taken += own.values()
        for way in said_of.ways:
            rule = _inner(way.conditions)
            yield _with(f"#   - {{rule: {own[way.name]}, {rule}}}", way.label)
        if not said_of.ways:
            yield _note(said_of.by_hand)
    yield _note(Text("If a column does not say who is counted, leave it out instead:"))
    yield f"# accept: {_quoted([f'new-column: {name}' for name in draft.counted])}"


def _columns(draft: Draft) -> Iterator[str]:
    if not draft.chosen:
        yield _with("columns: {}", Text("no column was recognised"))
        return
    yield "columns:"
    for target, proposal in draft.chosen.items():
        rule = proposal.whole()
        doubts = list(proposal.doubts)
        if vocabulary().variables(proposal.column).get(target, 1.0) < ROOTED:
            doubts.append(Text("the header may mean something else: compare it with the form"))
        if nulls := draft.nulls(proposal):
            rule["null_values"] = nulls
            column = draft.glances[proposal.column]
            taken = Text("taken for “not recorded”; if that is wrong, map it: {texts}")
            doubts.append(taken.holding(texts=proposals.texts_with_rows(column, nulls)))
        if rivals := draft.rivals(target):
            other = Text("these columns may say it too: {columns}")
            doubts.append(other.holding(columns=", ".join(rivals)))
        further = draft.follows.get(target, ())
        lead = f"  {target}:" if not further else f"{_several(target)}\n    -"
        yield _with(f"{lead} {{{_inner(rule)}}}", proposal.reason)
        yield from ("    " + _note(doubt) for doubt in doubts)
        yield from map(_following, further)
    for target in (name for name in draft.follows if name not in draft.chosen):
        yield from (_several(target), *map(_following, draft.follows[target]))


def _inner(rule: Dictionary[str, Any]) -> str:
    return ", ".join(f"{key}: {_quoted(value)}" for key, value in rule.items())


def _several(target: str) -> str:
    return _with(f"  {target}:", Text("the first of these rules that finds something holds"))


def _following(rule: Dictionary[str, Any]) -> str:
    """A rule by which a variable follows from another, or from texts that are read as another."""
    of = rule.get("from_hub") or next(iter(rule.get("when", [rule.get("from")])))
    return _with(f"    - {{{_inner(rule)}}}", Text("follows from {name}", name=of))


def _perpetrators(draft: Draft) -> Iterator[str]:
    if not draft.children:
        return
    reason = Text("each of its rows is taken for one alleged perpetrator")
    yield "perpetrators:"
    yield _with(f"  child: {_quoted(draft.children.child)}", reason)
    yield "  columns:"
    for target, proposal in draft.children.rules.items():
        nulls = {"null_values": proposal.null_values} if proposal.null_values else {}
        rule = {"from": proposal.column, **proposal.rule, **nulls}
        yield _with(f"    {target}: {{{_inner(rule)}}}", proposal.reason)
        yield from ("      " + _note(doubt) for doubt in proposal.doubts)


# --------------------------------------------------------------------------------------------------
# A first mapping for an unknown file, with the reason for each line.
#
# The steward owns the file and reads the suggestion where the file lies; it shows distinct texts of
# coded columns.  Texts of columns that may identify people are never looked at.


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
    settings: ReadOptions | None = None,
    form: SurveyForm | None = None,
    called: Dictionary[str, str] | None = None,
) -> tuple[RawTable, ReadOptions]:
    """A file read in the way that suits it: as it is laid out, or as a known format is.

    The templates of some formats have labels below the names, which no plain reading gets past.

    Args:
        path: the file.
        settings: what is stated about it; the rest is looked for.
        form: the form that the file is an export of.
        called: names for ids that the file has instead of names.

    Raises:
        FileError: the file cannot be read, and no known format helps; several sheets of it may
            hold the records (rule ``sheets``); it is not certain which row holds the names, and
            nobody stated it (rule ``no-header``).
    """
    raw, options = _read_as_it_suits(path, settings, form, called)
    if settings is None or "header_row" not in settings.model_fields_set:
        seen = layout.first_rows(path, options)
        named = seen is None or has_names(seen.rows, seen.merged)
        if not named and recognise(raw.table.column_names) is None:
            raise error("no-header/unsure", file=path)
    return raw, options


def _read_as_it_suits(
    path: Path,
    settings: ReadOptions | None,
    form: SurveyForm | None,
    called: Dictionary[str, str] | None,
) -> tuple[RawTable, ReadOptions]:
    options = layout.look(path, _in_its_code_page(path, settings))
    if called:
        known_ids = used(called, read_isolated(path, options).column_names())
        options = options.model_copy(update={"names": known_ids})
    if form is not None:
        return _with_form(path, options, form)
    try:
        raw = read_isolated(path, options)
    except UnreadableFile as met:
        if met.rule != "empty-header" or (reading := _as_known(path, names())) is None:
            raise
        return reading
    if settings is not None:
        return raw, options
    known = recognise(raw.table.column_names)
    if known is None and options.header_row > 1:
        laid_out = [name for name in names() if builtin(name).read != ReadOptions()]
        return _as_known(path, laid_out) or (raw, options)
    if known is None or builtin(known).read == ReadOptions():
        return raw, options
    return _as_known(path, [known]) or (raw, options)


def _in_its_code_page(path: Path, settings: ReadOptions | None) -> ReadOptions | None:
    """What is stated about a file, and its code page where that is sure and nothing is stated."""
    looked_for = path.suffix.lower() in TABLE and not (settings and settings.encoding)
    with suppress(OSError), path.open("rb") as file:  # what cannot be read is said by its reader
        if looked_for and (page := code_page(file.read(2**16))):
            return (settings or ReadOptions()).model_copy(update={"encoding": page})
    return settings


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
    read = (read or ReadOptions()).model_copy(update={"partial": False})  # a steward's decision
    draft = Draft(raw, read, dates, form)
    text = as_yaml(draft)
    fits = draft.trial.name if draft.trial and draft.trial.fits else None
    return Suggestion(text, parse_mapping(text, "suggestion.yaml"), fits, draft.unmatched)


def _together(offers: list[proposals.Proposal]) -> Iterator[proposals.Proposal]:
    """Lists whose columns differ by a number alone ("type 1", "type 2") as one list."""
    lists: dict[tuple[str, ...], list[proposals.Proposal]] = {}
    for proposal in offers:
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


def _choose(offers: Iterable[proposals.Proposal]) -> dict[str, proposals.Proposal]:
    """For each hub variable the surest proposal, in the schema's order."""
    best: dict[str, proposals.Proposal] = {}
    for proposal in sorted(offers, key=lambda p: -p.score):
        best.setdefault(proposal.target, proposal)
    return {v.name: best[v.name] for v in load_schema().records if v.name in best}


def _decisions(
    identifiers: Collection[IdentifierFinding], year: proposals.Proposal | None
) -> dict[str, str]:
    """A decision for each identifier; one column at most becomes the person key.

    A key that the contributor made for linking is preferred to the number of a case, which then
    serves withdrawals alone.
    """
    keys = [f.column for f in identifiers if vocabulary().is_token(f.column)]
    cases = [f.column for f in identifiers if PROPOSED.get(f.kind) == "hash"]
    births = [f.column for f in identifiers if PROPOSED.get(f.kind) == "band" and year is not None]
    decided = dict.fromkeys((f.column for f in identifiers), "strip")
    decided |= dict.fromkeys(births[:1], "band")
    if not keys:
        return decided | dict.fromkeys(cases[:1], "hash")
    named = [column for column in cases if column not in keys]
    return decided | dict.fromkeys(keys[:1], "token") | dict.fromkeys(named[:1], "case")


def _first(decisions: dict[str, str], decision: str) -> str | None:
    return next((column for column, choice in decisions.items() if choice == decision), None)


# --------------------------------------------------------------------------------------------------
# Columns that no rule of a draft reads: why, and what they may mean.


TEXTS = 8
"""Texts of a column without a rule that are shown."""

LIKELY = 3
"""Variables that are named for such a column."""

_BY_HEADER, _BY_TEXTS = 2.0, 1.5


def questions(draft: "Draft") -> Iterator[Text]:
    """What nobody reads, with why, and what it may mean: the first question of a draft."""
    if draft.unmatched:
        yield Text("No rule reads these columns: write a rule for what each means, or leave it out")
    every = [one for one in draft.hints if isinstance(one, proposals.Doubt)]
    for name in draft.unmatched:
        column = draft.glances[name]
        doubts = [one for one in every if one.column == name]
        replaced = bool(column.details) and draft.used.issuperset(column.details) and column.covered
        reasons = [Text("its choices have columns of their own, which are used instead")]
        if not replaced:
            reasons = [_why(column, doubts), *filter(None, [proposals.sets_doubt(column)])]
            about_them = column.texts and not vocabulary().about_others(name)
            if about_them and (likely := likeliest(column)):
                reasons.append(Text("perhaps {variables}", variables=joined(likely, ", ")))
        yield joined(["  ", name, ": ", joined(reasons, "; ")], "")
        for offer in (one.offer for one in doubts if one.offer):
            rule = json.dumps({offer.target: offer.whole()}, ensure_ascii=False)[1:-1]
            yield joined(["    ", Text("if it was received: {rule}", rule=rule)], "")


def likeliest(column: proposals.Glance) -> list[str]:
    """Up to :data:`LIKELY` variables, by the roots of the header and by the texts.

    >>> likeliest(proposals.Glance("Home", ("Ghana", "Togo"), (), {"Ghana": 2, "Togo": 2}, 4))
    ['citizenship', 'country_of_exploitation']
    """
    own, schema = vocabulary(), load_schema()
    scores: dict[str, float] = dict.fromkeys(_fitting(column), _BY_TEXTS)
    group = own.group_of(column.name)
    mark = column.separator(own.kinds)
    said = {part: text for text in column.texts[: proposals.FEW] for part in kinds_of(text, mark)}
    weighed = [
        (flag, _BY_TEXTS * column.weight([text]))
        for part, text in said.items()
        for flag in (own.flags_in(group, part) if group else own.kinds(part))
    ]
    headed = own.rooted(column.name) | dict.fromkeys(own.variables(column.name), True)
    for name, sure in headed.items():
        if not sure and name not in scores and schema.has(name) and _is_told(name):
            continue
        flags = [v.name for v in schema.records if name in (v.name, v.group)][:LIKELY]
        weighed += [(f, _BY_HEADER * (1 if sure else 0.6) / (1 + n)) for n, f in enumerate(flags)]
    for name, weight in weighed:
        scores[name] = scores.get(name, 0.0) + weight
    names = sorted((name for name in scores if schema.has(name)), key=lambda name: -scores[name])
    return names[:LIKELY]


def _is_told(name: str) -> bool:
    """Whether the texts of a column of a variable show what it is: dates, countries, ages."""
    return name == AGE or load_schema().variable(name).kind in ("year", "country")


def _fitting(column: proposals.Glance) -> list[str]:
    """Variables whose values most texts of a column are."""
    schema = load_schema()

    def most(test: Callable[[str], object]) -> bool:
        return column.weight(t for t in column.texts if test(t)) > 0.5

    if most(lambda t: len(t) > 1 and (look_up(t).alpha3 or country_said(t))):
        return [v.name for v in schema.records if v.kind == "country"]
    coded = [
        v.name
        for v in schema.records
        if v.kind in ("code", "status")
        and column.weight(proposals.known_codes(column, v.name)) > 0.5
    ]
    if coded:
        return coded
    if most(lambda t: proposals.is_year(DAY_FIRST.year(fold(t)) or MONTH_FIRST.year(fold(t)))):
        return [v.name for v in schema.records if v.kind == "year"]
    return [AGE] if column.repeats and len(column.texts) > 2 and most(years_in) else []


def _why(column: proposals.Glance, doubts: list[proposals.Doubt]) -> Text:
    if not column.texts:
        return Text("it is empty")
    if vocabulary().about_others(column.name):
        return Text("it is about someone other than the person of the record")
    shown = column.showable and kind_of(column.name) != "name"
    texts = joined(column.texts[:TEXTS], ", ")
    if doubts:
        why = doubts[-1]
        return joined([why.reason, texts], ": ") if why.shows and shown else why.reason
    if column.share(lambda text: len(text) > 3 and look_up(text).alpha3) >= 0.8:
        return Text("countries; of citizenship or of exploitation?")
    return texts if shown else Text("{n} different texts", n=Numeral(len(column.texts)))
