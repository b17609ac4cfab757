"""What harmonising gives back, with the law that no row is lost, and a mapping's rules in words."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from ctdhub.core.i18n import Field, Text, joined, many
from ctdhub.sensitive.coded_parquet import without_codes
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.rule import Rule
from ctdhub.sensitive.mapping.texts import FileTexts

# --------------------------------------------------------------------------------------------------
# What harmonising gives back, and the law that no row is lost.


@dataclass(frozen=True)
class Conservation:
    """Every row read is a record, a reject or an exclusion under a name.

    Attributes:
        rows_read: rows below the header, those that could not be read included.
        records: rows that became records.
        rejected: rows with at least one fault; a row with several faults counts once.
        excluded: rows left out by each named rule of the mapping.

    Raises:
        ValueError: the counts do not add up.

    >>> Conservation(5, 3, 1, {"not-a-victim": 1}).rows_read
    5
    """

    rows_read: int
    records: int
    rejected: int
    excluded: Dictionary[str, int]

    def __post_init__(self) -> None:
        parts = (self.records, self.rejected, *self.excluded.values())
        if min(parts) < 0 or self.rows_read != sum(parts):
            raise ValueError(f"{self.rows_read} rows were read, {sum(parts)} are accounted for")


@dataclass(frozen=True)
class Lineage:
    """Where one hub variable comes from.

    Attributes:
        column: the hub variable.
        sources: source columns (or hub variables) that it is made of.
        rule: the rule, to be said in any language.
        lossy: whether the source says more than what is kept.
        note: what is lost, None if nothing.
        mapped: records that have a value.
        empty: records without one ("not recorded").
        ignored: elements in the lists of its source columns that no rule of the mapping knows.
    """

    column: str
    sources: tuple[str, ...]
    rule: Text
    lossy: bool
    note: Text | None
    mapped: int
    empty: int
    ignored: int = 0

    def __post_init__(self) -> None:
        if self.lossy != (self.note is not None):
            raise ValueError(f"{self.column}: a lossy step, and only that, carries a note")


@dataclass(frozen=True)
class Harmonised:
    """One file in the hub's schema.  Sensitive.

    Attributes:
        coded: ``record_id``, ``person_key``, ``source_file``, ``source_row`` and the variables
            of the schema's records, in the order of the file; some texts as codes.
        perpetrators: ``record_id`` and the variables of the schema's perpetrators.
        tokens: keyed tokens of records (``ctdhub.sensitive.mapping.identifiers.TOKENS``).
        cases: keys of cases (``run.CASES``), by which withdrawals are found.
        rejects: one row per fault (``ctdhub.sensitive.ingest.rejects.REJECTS``).
        lineage: one entry per mapped hub variable.
        conservation: the account of all rows.
        no_record: person keys of rows that became no record (``keyed_rows.NO_RECORD``).
        births: person keys with different years of birth (``keyed_rows.BIRTHS``).
        texts: what the file's texts are, those that no rule can read one by one.
        notes: numbers of the rows that look like notes, rejected or left out.
        not_victims: numbers of the rows left out as ``not-a-victim``.

    Raises:
        ValueError: record ids repeat, or the tables contradict the account.
    """

    coded: pa.Table
    perpetrators: pa.Table
    tokens: pa.Table
    cases: pa.Table
    rejects: pa.Table
    lineage: tuple[Lineage, ...]
    conservation: Conservation
    no_record: pa.Table
    births: pa.Table
    texts: FileTexts = field(default_factory=FileTexts)
    notes: tuple[int, ...] = ()
    not_victims: tuple[int, ...] = ()

    @cached_property
    def records(self) -> pa.Table:
        """The records with their texts."""
        return self.coded.cast(without_codes(self.coded.schema))

    def __post_init__(self) -> None:
        ids = self.coded["record_id"]
        if len(ids.unique()) != len(ids):
            raise ValueError("record ids repeat")
        if len(ids) != self.conservation.records:
            raise ValueError("the account does not count the records")
        if self.perpetrators.num_rows:
            known = set(ids.to_pylist())
            if not known.issuperset(self.perpetrators["record_id"].to_pylist()):
                raise ValueError("a perpetrator belongs to no record")


# --------------------------------------------------------------------------------------------------
# A mapping's rules in words, with what they lose.


def lineage_of(
    mapping: Mapping,
    records: pa.Table,
    perpetrators: pa.Table,
    folded: frozenset[str],
    ignored: dict[str, int],
    untied: dict[str, int],
) -> tuple[Lineage, ...]:
    """One entry per mapped hub variable, in the order of the mapping.

    Args:
        records: the harmonised records.
        perpetrators: the harmonised child rows.
        folded: source columns in which some name stands for a country that is published under
            another.
        ignored: source columns of lists, each with the number of elements that no rule knows.
        untied: source columns of perpetrators, each with the number of values left out because
            they cannot be tied to one of them.
    """
    found = [
        _entry(name, rules, records, folded, ignored, {}) for name, rules in mapping.columns.items()
    ]
    if mapping.perpetrators:
        for name, rules in mapping.perpetrators.columns.items():
            found.append(_entry(name, rules, perpetrators, folded, ignored, untied))
    return tuple(found)


def _entry(
    name: str,
    rules: tuple[Rule, ...],
    table: pa.Table,
    folded: frozenset[str],
    ignored: dict[str, int],
    untied: dict[str, int],
) -> Lineage:
    sources = [s for rule in rules for s in (*rule.columns(), rule.from_hub) if s is not None]
    notes = list(dict.fromkeys(note for rule in rules for note in losses(rule, folded)))
    searched = {column for rule in rules if rule.has for column in rule.source}
    strays = sum(ignored.get(column, 0) for column in searched)
    if strays and any(rule.doubts for rule in rules):
        note = many(
            "{n} text is known to no rule: it never becomes “no”",
            "{n} texts are known to no rule: they never become “no”",
            strays,
            n=strays,
        )
        notes.append(note)
    elif strays:
        note = many(
            "{n} element of a list is known to no rule and was skipped",
            "{n} elements of lists are known to no rule and were skipped",
            strays,
            n=strays,
        )
        notes.append(note)
    if left := sum(untied.get(column, 0) for column in dict.fromkeys(sources)):
        note = many(
            "{n} value cannot be tied to one alleged perpetrator and was left out",
            "{n} values cannot be tied to one alleged perpetrator and were left out",
            left,
            n=left,
        )
        notes.append(note)
    empty = table[name].null_count
    return Lineage(
        column=name,
        sources=tuple(dict.fromkeys(sources)),
        rule=joined([in_words(rule) for rule in rules], Text("; otherwise: ")),
        lossy=bool(notes),
        note=joined(notes, "; ") if notes else None,
        mapped=table.num_rows - empty,
        empty=empty,
        ignored=strays,
    )


def losses(rule: Rule, folded: frozenset[str]) -> list[Field]:
    """What a rule loses."""
    notes: list[Field] = [rule.lossy] if rule.lossy else []
    if rule.take:
        notes.append(Text("of several values one is kept"))
    if rule.unknown == "null" and rule.value is None and not rule.has:
        notes.append(Text("unknown texts become “not recorded”"))
    if rule.country and folded.intersection(rule.source):
        notes.append(Text("some names stand for a territory that is counted under another country"))
    return notes


def in_words(rule: Rule) -> Text:  # noqa: C901
    """A rule as a phrase.

    >>> from ctdhub.core.i18n import said
    >>> said(in_words(Rule.model_validate({"from": "a", "map": {"x": "yes"}, "when": {"b": "1"}})))
    '1 text has a code; only where b is “1”'
    """
    phrases: list[Field] = []
    if rule.value is not None:
        phrases.append(Text("always {code}", code=rule.value))
    if rule.from_hub is not None:
        phrases.append(Text("from the hub variable {name}", name=rule.from_hub))
    if rule.take:
        phrases.append(
            Text("the first of a list") if rule.take == "first" else Text("the last of a list")
        )
    if rule.map:
        n = len(rule.map)
        phrases.append(many("{n} text has a code", "{n} texts have a code", n, n=n))
    if rule.year:
        phrases.append(Text("the year of a date"))
    if rule.country:
        phrases.append(Text("the country of a name or code"))
    if rule.at:
        phrases.append(Text("the band of the age on the date in {column}", column=rule.at))
    elif rule.band:
        phrases.append(Text("the band of a number"))
    if rule.has:
        phrases.append(Text("yes where it says: {texts}", texts=", ".join(rule.has)))
        if rule.doubts:
            phrases.append(Text("no where it says only other things that some rule knows"))
        elif rule.absent:
            phrases.append(Text("no where it says anything else"))
    if len(rule.source) > 1:
        phrases.append(Text("{n} columns are combined", n=len(rule.source)))
    for column, texts in rule.when.items():
        shown = ", ".join(f"“{text}”" for text in texts)
        phrases.append(Text("only where {column} is {texts}", column=column, texts=shown))
    return joined(phrases, "; ") if phrases else Text("taken as it is")
