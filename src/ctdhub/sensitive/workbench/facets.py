"""A contributor's file as the workbench holds it, and its sheets: texts that are decided alike."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES, LocalName, Numeral, Text, joined, language, said
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema import countries
from ctdhub.schema.countries import country_said, look_up, resolve
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import AGE, YEARS, load_schema
from ctdhub.sensitive.ingest.delimited import unescaped
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, find_identifiers
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.drafting import proposals, written_ages
from ctdhub.sensitive.mapping.drafting.proposals import Glance, glance
from ctdhub.sensitive.mapping.drafting.row_unit import decided_columns, identifiers_of_systems
from ctdhub.sensitive.mapping.drafting.suggest import likeliest, read_to_suggest, suggest
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, OTHER_KIND, STAYS, ListSheet
from ctdhub.sensitive.mapping.evaluation import AnswerCache, Bools, TextTable
from ctdhub.sensitive.mapping.file_account import nearest
from ctdhub.sensitive.mapping.mapping import Mapping, Rule
from ctdhub.sensitive.mapping.mapping_file import text_of
from ctdhub.sensitive.mapping.parsers import Header, elements_of, kinds_of
from ctdhub.sensitive.mapping.transform import MappingRun, Transformed
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace, digest

# --------------------------------------------------------------------------------------------------
# A contributor's file as the workbench holds it: read once, columns as codes of their texts.

_FILES = 3
"""Files that are held at once."""


class TextCount(NamedTuple):
    """A text of a column, in its most frequent spelling, and the rows that hold it."""

    text: str
    rows: int


class OpenedFile(AnswerCache):
    """A file.  Sensitive.

    Args:
        raw: as read.

    Attributes:
        texts: its table.
    """

    KEPT = 10_000

    def __init__(self, raw: RawTable) -> None:
        super().__init__()
        children = {name: unescaped(rows) for name, rows in raw.children.items()}
        self.raw = replace(raw, table=unescaped(raw.table), children=children)
        self.texts = TextTable(self.raw.table)
        self.codes = self.texts.table
        self.names = self.raw.column_names()
        self.header = Header(self.names)

    @cached_property
    def totals(self) -> int:
        """How many rows are lines of totals for certain, unless all are said to be records."""
        return 0 if self.raw.sums is None else int(self.raw.unlike(table=self.codes).sums.sum())

    @cached_property
    def findings(self) -> dict[str, IdentifierFinding]:
        """Likely identifiers by column."""
        findings = {f.column: f for f in find_identifiers(self.raw)}
        of_system, _known = identifiers_of_systems(self.raw)
        return findings | {c: f for c, f in of_system.items() if c in self.names}

    def glance(self, column: str) -> Glance:
        """What stands in a column of the table."""
        return self.once(("glance", column), lambda: glance(self.raw.table, column))

    def filled(self, column: str) -> int:
        """Cells of a column that hold something."""
        return sum(one.rows for one in self.counts(column))

    def counts(self, column: str) -> list[TextCount]:
        """The texts of a column, spellings that fold alike as one, those of most rows first."""
        return self.once(("counts", column), lambda: self._counts(column))

    def _counts(self, column: str) -> list[TextCount]:
        counts: dict[str, TextCount] = {}
        for text, n in sorted(self._each(column), key=lambda one: -one[1]):
            if key := fold(text):
                spelt, rows = counts.get(key, (trim(text), 0))
                counts[key] = TextCount(spelt, rows + n)
        return [counts[key] for key in sorted(counts, key=lambda key: (-counts[key].rows, key))]

    def _each(self, column: str) -> list[tuple[str, int]]:
        if column not in self.codes.column_names:
            counted = self.raw.cells(column).drop_null().value_counts().to_pylist()
            return [(one["values"], one["counts"]) for one in counted]
        texts = self.texts.texts(column)
        counted = np.bincount(self.texts.codes(column), minlength=len(texts) + 1)
        return [(t, n) for t, n in zip(texts, counted.tolist(), strict=False) if n]


def opened(path: Path, options: ReadOptions) -> OpenedFile:
    """A file, read as a mapping says; held until others take its place or it changes.

    Raises:
        FileError: it cannot be read; see ``ingest.isolated``.
    """
    now = path.stat() if path.exists() else None
    written = (now.st_mtime_ns, now.st_size) if now else (0, 0)
    return _opened(path, written, options.model_dump_json(exclude_unset=True))


@lru_cache(maxsize=_FILES)
def _opened(path: Path, _written: tuple[int, int], stated: str) -> OpenedFile:
    return OpenedFile(read_isolated(path, ReadOptions.model_validate_json(stated)))


# --------------------------------------------------------------------------------------------------
# What a mapping makes of the rows of a file.
#
# What a rule makes of the file's texts is kept (``TextTable.once``), so that an edit is counted at
# once: only what the rules that it changed read is worked out again.

_CHILDREN = "perpetrators"


def file_effect(mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> FileEffect:
    """What a mapping makes of a file; the last ones are held."""
    return _effect(MappingRun.of(mapping, years), file)


@lru_cache(maxsize=6)
def _effect(asked: MappingRun, file: OpenedFile) -> FileEffect:
    return FileEffect(asked.mapping, file, asked.years)


class FileEffect(Transformed):
    """What a mapping makes of a file, as a build would."""

    def __init__(self, mapping: Mapping, file: OpenedFile, years: tuple[int, int]) -> None:
        self.file = file
        own = file.raw.children or None
        super().__init__(mapping, file.texts, years, own, file.raw, file.codes)

    def counts(self) -> dict[str, Any]:
        """Rows by what becomes of them; rows that could not be read count as rejected."""
        return {
            "rows": self.file.raw.rows_read,
            "records": int(self.records.sum()),
            "rejected": int(self.rejected.sum()) + self.file.raw.rejects.num_rows,
            "excluded": self.left_out,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, and the child rows if there are any."""
        return (*self.answers, _CHILDREN) if self.child else (*self.answers,)

    def made(self, name: str) -> tuple[int, ...]:
        """The same as of another effect only where the variable is the same in all rows."""
        if name in self.answers:
            return (id(self.answers[name]),)
        return tuple(map(id, self.child.answers.values())) if self.child else ()

    def value(self, name: str) -> NDArray[np.int32]:
        """A variable of each row, or its child rows, as a number; 0 for nothing."""
        texts = self.file.texts
        numbers = np.zeros(texts.rows, np.int32)
        if name in self.answers:
            return texts.by_row(self.answers[name].on, self.answers[name].values)
        if name == _CHILDREN and self.children is not None:
            rows: dict[int, str] = {}
            for one in self.children.to_pylist():
                row = one.pop(ROW)
                rows[row] = f"{rows.get(row, '')}{one}"
            numbers[np.isin(self.file.codes[ROW], [*rows])] = [*map(texts.number, rows.values())]
        return numbers

    def rule(self) -> NDArray[np.int32]:
        """The rule that leaves each row out, as a number; 0 for none."""
        numbers = np.array([0, *map(self.file.texts.number, self.rules)], np.int32)
        return numbers[self.excluded]


def change(now: FileEffect, then: FileEffect) -> dict[str, Any]:
    """What becomes otherwise from one effect to the other, as ``ask`` says it."""
    before, after = now.counts(), then.counts()
    differ: Bools = (now.rule() != then.rule()) | (now.rejected != then.rejected)
    for name in dict.fromkeys([*now.names, *then.names]):
        if now.made(name) != then.made(name):
            differ |= (now.value(name) != then.value(name)) & now.records & then.records
    counts = {key: [before[key], after[key]] for key in ("records", "rejected")}
    return {"rows": int(differ.sum()), **counts}


# --------------------------------------------------------------------------------------------------
# A draft with its file: what a request works on.


class Bench:
    """A person's draft over a file.

    Args:
        place: whose.
        draft: the draft.
    """

    def __init__(self, place: Workplace, draft: DraftFold) -> None:
        self.place, self.draft = place, draft

    @cached_property
    def mapping(self) -> Mapping:
        """What the draft says."""
        return self.draft.mapping()

    @cached_property
    def file(self) -> OpenedFile:
        """The file, read as the draft says.

        Raises:
            HubError: no file was named, or it cannot be read.
        """
        if self.place.file is None:
            raise error("workbench-request")
        return opened(self.place.file, self.mapping.read)

    @property
    def effect(self) -> FileEffect:
        """What the mapping makes of the file."""
        return file_effect(self.mapping, self.file, self.place.years)


def in_force(place: Workplace) -> DraftFold | None:
    """An empty draft over the mapping in force, None where there is none."""
    now = mapping_file.in_force(place.mappings, place.contributor, place.day)
    if now is None:
        return None
    text = text_of(now[1])
    return DraftFold(text, now[0], (), digest(text), place.label)


def suggested(place: Workplace, read: ReadOptions | None = None) -> DraftFold:
    """A draft over the mapping that is suggested for the file.

    Args:
        place: whose.
        read: what is stated about the file.

    Raises:
        HubError: no file was named, or it cannot be read; it is not certain which row holds the
            names, and nobody stated it (rule "no-header").
    """
    if place.file is None:
        raise error("workbench-nothing", id=place.contributor, at=place.day)
    now = in_force(place)
    yaml = suggest(*read_to_suggest(place.file, read)).yaml
    return DraftFold(yaml, None, (), now.seen if now else None, place.label)


# --------------------------------------------------------------------------------------------------
# Sheets: texts of a file that are decided alike, what each is read as, and what it may mean.
#
# A sheet is about the texts of one rule that looks codes up (``map``, ``country``, ``band``), or
# of all rules that search one list for flags (``has``). An answer is a tuple of tokens: codes of
# the variable, names of flags, or one of the words for what is neither. What no text can answer,
# such as a rule that holds for some rows only (``when``), has no sheet and stays a matter of the
# YAML.


Answer = tuple[str, ...]
"""Tokens; none, where nobody has decided."""


@dataclass(frozen=True)
class Sheet:
    """Texts that are decided alike.

    Attributes:
        name: what operations call it.
        columns: the source columns whose texts they are.
        rules: the rules, by variable; one, or one for each flag.
        choices: codes, or flags; an answer on flags may hold several.
        flags: whether the choices are flags.
        split: the mark between the elements of its lists.
    """

    name: str
    columns: tuple[str, ...]
    rules: Dictionary[str, Rule]
    choices: tuple[str, ...]
    flags: bool
    split: str | None = None

    def tokens(self) -> tuple[str, ...]:
        """Every token that an answer may hold, the words last."""
        words = (NOT_RECORDED, OTHER_KIND, STAYS) if self.flags else (NOT_RECORDED, STAYS)
        return (*self.choices, *words)


def askable(mapping: Mapping) -> Iterator[Sheet]:
    """The sheets of a mapping, in its order."""
    lists: dict[ListSheet, dict[str, Rule]] = {}
    child = mapping.perpetrators.split if mapping.perpetrators else None
    for table, place, target, rule in mapping.rules():
        if rule.when or not rule.source or rule.at:
            continue
        if rule.has:
            lists.setdefault(ListSheet(table, rule.source, rule.split), {})[target] = rule
        elif rule.map is not None or rule.country or rule.band or rule.year:
            codes, name = load_schema().domain(target, YEARS), ".".join(map(str, place))
            split = (child if table == "perpetrators" else None) or rule.split
            yield Sheet(name, rule.source, {target: rule}, codes, False, split)
    for listed, rules in lists.items():
        flags, split = [*rules], child or listed.split
        if listed.table == "records":
            flags += [v.name for v in load_schema().records if v.kind == "flag"]
            split = listed.split
        yield Sheet(listed.name, listed.columns, rules, (*dict.fromkeys(flags),), True, split)


def meanings(mapping: Mapping, sheet: Sheet, texts: Sequence[str]) -> list[Answer]:
    """What the rules of a sheet make of texts, found by running them.

    Returns:
        An answer for each text; empty where it is unknown.
    """
    bare = {"split": None, "take": None}
    rules = {name: (rule.model_copy(update=bare),) for name, rule in sheet.rules.items()}
    nothing: dict[str, Any] = {"perpetrators": None, "exclude": (), "tests": (), "identifiers": {}}
    alone = mapping.model_copy(update={**nothing, "columns": rules})
    column, *others = sheet.columns
    blank = {name: pa.nulls(len(texts), pa.string()) for name in others}
    numbers = pa.array(range(len(texts)), pa.int64())
    cells = pa.table({column: pa.array(texts, pa.string()), **blank, ROW: numbers})
    values = Transformed(alone, TextTable(cells), YEARS).values.to_pylist()
    by_row = {value[ROW]: value for value in values}
    every = sheet.rules.values()
    silent = {fold(text) for rule in every for text in rule.null_values}
    silent |= {fold(text) for rule in every for text, code in (rule.map or {}).items() if not code}
    known = {fold(text) for rule in every for text in rule.known}
    columns = {*map(fold, sheet.columns)}
    accepted = {fold(e.text) for e in mapping.accept if e.text and fold(e.column or "") in columns}
    answers: list[Answer] = []
    for i, text in enumerate(texts):
        said = {name: by_row.get(i, {}).get(name) for name in sheet.rules}
        answer = tuple(
            name if sheet.flags else str(code)
            for name, code in said.items()
            if (code == "yes" if sheet.flags else code is not None)
        )
        words = ((silent, NOT_RECORDED), (known, OTHER_KIND), (accepted, STAYS))
        answers.append(answer or next(((word,) for of, word in words if fold(text) in of), ()))
    return answers


# --------------------------------------------------------------------------------------------------
# The choices of a sheet in words.

_WORDS = {
    NOT_RECORDED: Text("means: not recorded"),
    OTHER_KIND: Text("another kind, none of these"),
    STAYS: Text("may stay unknown"),
}


def choice_words(sheet: Sheet, token: str) -> str:
    """A choice in the language in force."""
    return said(joined([choice_name(sheet, token)], ""))


def choice_name(sheet: Sheet, token: str) -> Text | LocalName:
    """A choice in every language."""
    if token in _WORDS:
        return _WORDS[token]
    variable = "" if sheet.flags else next(iter(sheet.rules))
    return _label(variable, token)


@lru_cache(maxsize=8_192)
def _label(variable: str, token: str) -> LocalName:
    """The label of a code, or of a flag."""
    if not variable:
        return LocalName.of(lambda code: label(token, code))
    if load_schema().variable(variable).kind == "country":
        return LocalName.of(lambda code: countries.name(token, code))
    return LocalName.of(lambda code: code_label(variable, token, code))


def spellings_of(sheet: Sheet) -> dict[str, str]:
    """Folded codes, and labels in every language that name one choice only."""
    spellings: dict[str, set[str]] = {}
    for code in LANGUAGES:
        with language(code):
            for token in sheet.tokens():
                spellings.setdefault(fold(choice_words(sheet, token)), set()).add(token)
    named = {text: next(iter(tokens)) for text, tokens in spellings.items() if len(tokens) == 1}
    return named | {fold(token): token for token in sheet.tokens()}


# --------------------------------------------------------------------------------------------------
# Texts beside each other: the key that spellings share, and how the words of a text begin.

_APART = re.compile(r"[^\w]+|_")


def fingerprint(text: str) -> str:
    """The key of a text: its words without case, accents and marks, sorted, each once.

    >>> fingerprint("  Fém. ") == fingerprint("fem"), fingerprint("Bar, travail en")
    (True, 'bar en travail')
    """
    plain = unicodedata.normalize("NFKD", fold(text))
    letters = "".join(c for c in plain if not unicodedata.combining(c) and c != "\u0640")
    words = _APART.sub(" ", letters.casefold()).split()
    return " ".join(sorted(set(words)))


def stems(text: str) -> frozenset[str]:
    """The first letters of the longer words of a text.

    >>> sorted(stems("Par une annonce en ligne"))
    ['annon', 'ligne']
    """
    return frozenset(word[:_STEM] for word in fingerprint(text).split() if len(word) >= _STEM)


_STEM = 5


# --------------------------------------------------------------------------------------------------
# What a text that no rule knows may mean, with the reason, for a person to say yes to.

LIKENESSES = 300
"""Texts for which a likeness is looked for; it costs the most."""


INEXACT = Text("a date that is not exact, with this year")


class SuggestedCode(NamedTuple):
    """What a text may mean.

    Attributes:
        codes: tokens, as decisions have them.
        reason: why.
        sure: whether the text itself says so; else it only looks like one that does.
    """

    codes: Answer
    reason: Text
    sure: bool


@dataclass(frozen=True)
class Facets:
    """The texts of a sheet.

    Attributes:
        of: the sheet.
        values: its texts with their rows, those of most rows first.
        today: folded text to what it is read as; none where it is unknown.
    """

    of: Sheet
    values: tuple[TextCount, ...]
    today: dict[str, Answer]

    def unknown(self) -> list[TextCount]:
        """Texts that nothing reads."""
        return [one for one in self.values if not self.today.get(fold(one.text))]


def sheets_of(mapping: Mapping, file: OpenedFile, column: str) -> list[Sheet]:
    """The sheets that are about a column of the file."""
    return [
        sheet
        for sheet in askable(mapping)
        if any(file.header.find(name) == column for name in sheet.columns)
    ]


def facets(mapping: Mapping, file: OpenedFile, of: Sheet, years: tuple[int, int]) -> Facets:
    """The texts of a sheet, and what the mapping reads each as."""
    columns = {name: mapping.columns[name] for name in of.rules if name in mapping.columns}
    alone = mapping.model_copy(update={"columns": columns, "tests": (), "exclude": ()})
    return file.texts.once(
        ("facets", MappingRun.of(alone, years), of.name),
        lambda: _with_meanings(mapping, of, _texts_in(mapping, file, of)),
    )


def unread(mapping: Mapping, file: OpenedFile) -> dict[str, list[str]]:
    """The columns of a file that no rule reads and nobody has decided, with what each may mean."""
    decided = decided_columns(mapping)
    open_ = (n for n in file.codes.column_names[:-1] if fold(n) not in decided)
    seen = [file.glance(name) for name in open_ if name not in file.findings]
    return {column.name: likeliest(column) for column in seen if column.texts}


def questions(mapping: Mapping, file: OpenedFile | None) -> Iterator[Facets]:
    """The texts of each sheet that a person can be asked about, unknown ones first.

    Args:
        mapping: its own texts are asked about too, with no row where the file has none of them.
        file: the file; without one only texts of the mapping itself are asked about.
    """
    for of in askable(mapping):
        rules = [*of.rules.values()]
        unlisted = rules[0].band or rules[0].year
        own = {fold(t): t for r in rules for t in (*(r.map or {}), *r.has, *r.known)}
        there = _texts_in(mapping, file, of) if file else {}
        every = {key: TextCount(text, 0) for key, text in own.items()} | there
        seen = _with_meanings(mapping, of, every)
        asked = [
            one
            for one in seen.values
            if fold(one.text) in own or not unlisted or not seen.today[fold(one.text)]
        ]
        asked.sort(key=lambda one: (bool(seen.today[fold(one.text)]), -one.rows, one.text))
        if asked:
            yield Facets(of, tuple(asked), seen.today)


def _texts_in(mapping: Mapping, file: OpenedFile, of: Sheet) -> dict[str, TextCount]:
    """The texts of a sheet in a file, by their folded text."""
    silent = {"", *map(fold, mapping.empty)}
    texts: dict[str, TextCount] = {}
    parts = kinds_of if of.flags else elements_of
    for name in (file.header.find(column) for column in of.columns):
        for text, n in file.counts(name) if name is not None else ():
            for element in dict.fromkeys(parts(text, of.split) if of.split else [text]):
                key = fold(element)
                if key not in silent:
                    spelt, rows = texts.get(key, (element, 0))
                    texts[key] = TextCount(spelt, rows + n)
    return texts


def _with_meanings(mapping: Mapping, of: Sheet, texts: dict[str, TextCount]) -> Facets:
    silent = {"", *map(fold, mapping.empty)}
    ordered = sorted(texts.keys() - silent, key=lambda key: (-texts[key].rows, key))
    values = tuple(texts[key] for key in ordered)
    answers = meanings(mapping, of, [one.text for one in values])
    return Facets(of, values, dict(zip(ordered, answers, strict=True)))


class Suggester:
    """Finds what the unknown texts of a sheet may mean.

    Args:
        facet: the texts of the sheet, those among them that the mapping reads already.
    """

    def __init__(self, facet: Facets) -> None:
        self._sheet = sheet = facet.of
        variable, own = next(iter(sheet.rules)), vocabulary()
        self._variable = "" if sheet.flags else variable
        self._kind = "flags" if sheet.flags else load_schema().variable(variable).kind
        fits = likely(sheet)
        self._words: dict[str, Answer] = {
            text: (token,)
            for text, token in spellings_of(sheet).items()
            if token in sheet.choices and token in fits
        }
        self._vocabulary: dict[str, Answer] = {
            key: (code,) for key, code in own.codes.get(self._variable, {}).items()
        }
        if sheet.flags:
            own_flags = ((key, flags & fits) for key, flags in own.flags.items())
            self._vocabulary = {key: (*flags,) for key, flags in own_flags if len(flags) == 1}
        groups = {own.group_of(column) or "" for column in sheet.columns}
        self._strangers = {one for group in groups for one in own.strangers.get(group, ())}
        today = {fold(v.text): v.text for v in facet.values if facet.today.get(fold(v.text))}
        self._spelt = today
        self._known = {key: facet.today[key] for key in today if facet.today[key] != (STAYS,)}
        self._keys = {fingerprint(key): key for key in reversed(self._known)}
        self._left = LIKENESSES

    def __call__(self, text: str) -> SuggestedCode | None:
        """What a text may mean, None where nothing speaks for anything."""
        key, said = fold(text), word(text)
        if (codes := self._words.get(key)) is not None:
            return SuggestedCode(codes, Text("it is the name of this choice"), True)
        if said and (codes := self._vocabulary.get(said)) is not None:
            return SuggestedCode(codes, Text("a known word for this choice"), True)
        if self._variable in (AGE, proposals.MAJORITY) and (code := self._as_age(text)):
            return code
        if self._kind == "country" and (code := self._as_country(text)):
            return code
        if self._kind == "year" and (year := proposals.year_about(text, sure=False)):
            return SuggestedCode((year,), INEXACT, False)
        if said not in self._strangers and proposals.means_nothing(text):
            return SuggestedCode((NOT_RECORDED,), Text("it means “not recorded”"), True)
        if (like := self._keys.get(fingerprint(text))) is not None:
            reason = Text("spelt like “{text}”", text=self._spelt[like])
            return SuggestedCode(self._known[like], reason, True)
        return self._by_likeness(key)

    def _as_age(self, text: str) -> SuggestedCode | None:
        """The band of ages; where they are of several, or not exact, a person decides."""
        years = written_ages.years_in(text)
        if years is None:
            vague = Text("an approximate age: choose its band, or leave it not recorded")
            unsure = SuggestedCode((NOT_RECORDED,), vague, False)
            return None if written_ages.about(text) is None else unsure
        said = Text("ages {low} to {high}", low=Numeral(years.low), high=Numeral(years.high))
        code = written_ages.side(years)
        if self._variable == AGE:
            code = written_ages.band_holding(years, self._sheet.choices)
        if code is not None:
            return SuggestedCode((code,), said, True)
        several = Text("ages of more than one band: no code says so")
        return SuggestedCode((NOT_RECORDED,), several, False)

    def _as_country(self, text: str) -> SuggestedCode | None:
        code = look_up(text).alpha3 or country_said(text)
        if code is not None:
            return SuggestedCode((code,), Text("a name of this country"), True)
        code = resolve(text).nearest
        if code is None:
            return None
        named = LocalName.of(lambda language: countries.name(code, language))
        reason = Text("looks like “{text}”", text=named)
        return SuggestedCode((code,), reason, False)

    def _by_likeness(self, key: str) -> SuggestedCode | None:
        if self._left <= 0 or self._kind in ("country", "year"):
            return None
        self._left -= 1
        names = {name: name for name in {**self._words, **self._known} if len(name) > 3}
        if len(key) <= 3:
            return None
        like = nearest(key, names) or self._by_stems(key)
        if like is None:
            return None
        if sorted(c for c in like if c.isdigit()) != sorted(c for c in key if c.isdigit()):
            return None
        codes = self._known.get(like) or self._words[like]
        if codes == (OTHER_KIND,):
            return None
        reason = Text("looks like “{text}”", text=self._spelt.get(like, like))
        return SuggestedCode(codes, reason, False)

    def _by_stems(self, key: str) -> str | None:
        """The one choice whose words begin as all those of a text do, or the other way round."""
        mine = stems(key)
        choices: dict[Answer, str] = {}
        for name, answer in {**self._words, **self._known}.items():
            theirs = stems(name)
            if mine and theirs and (mine <= theirs or theirs <= mine):
                choices.setdefault(answer, name)
        return next(iter(choices.values())) if len(choices) == 1 else None


def suggestions(facet: Facets) -> dict[str, SuggestedCode]:
    """What the unknown texts may mean, in their order; those without a suggestion are left out."""
    unknown = facet.unknown()
    suggester = Suggester(facet) if unknown else None
    made = ((one.text, suggester(one.text)) for one in unknown if suggester)
    return {
        text: one._replace(codes=with_implied(one.codes, facet.of))
        for text, one in made
        if one is not None
    }


def with_implied(codes: Answer, sheet: Sheet) -> Answer:
    """With the choices of the sheet that follow from these."""
    then = (name for of, _codes, name, _code in load_schema().implied() if of in codes)
    also = [name for name in then if sheet.flags and name in sheet.choices]
    return (*dict.fromkeys((*codes, *also)),)


class TextCluster(NamedTuple):
    """Texts that may be one, those of most rows first, and the rows that hold one of them."""

    texts: tuple[str, ...]
    rows: int


def clusters(facet: Facets) -> list[TextCluster]:
    """Texts that differ in case, accents, marks and order of words alone, where some are open.

    As OpenRefine's key collision: a proposal for a person, and nothing is merged by itself.  Texts
    of two decisions are never together.
    """
    alike: dict[str, list[TextCount]] = defaultdict(list)
    for one in facet.values:
        alike[fingerprint(one.text) or fold(one.text)].append(one)
    made = []
    for own in alike.values():
        answers = {facet.today.get(fold(one.text), ()) for one in own}
        if len(own) > 1 and () in answers and len(answers) <= 2:
            made.append(TextCluster(tuple(one.text for one in own), sum(one.rows for one in own)))
    return sorted(made, key=lambda one: (-one.rows, one.texts))


def likely(of: Sheet) -> frozenset[str]:
    """The choices that a text of a sheet is likely to mean: of a list the kinds of its groups."""
    if not of.flags:
        return frozenset(of.choices)
    schema = load_schema()
    groups = {schema.variable(name).group for name in of.rules} - {None}
    groups |= {vocabulary().group_of(column) for column in of.columns} - {None}
    names = frozenset(v.name for v in schema.records if v.group in groups and v.kind == "flag")
    return names | of.rules.keys() or frozenset(of.choices)


def read_as(effect: FileEffect, file: OpenedFile, column: str) -> dict[str, list[str]]:
    """For the texts of a column that a rule reads alone, by their folded text: what they become."""
    codes: dict[str, list[str]] = {}
    unread = [answer.faults for _column, answer in effect.brackets if answer.on == column]
    for on, values, faults in effect.answers.values():
        if on == column:
            read = (values * (sum(unread, faults) == 0)).tolist()
            for text, number in zip(file.texts.texts(column), read, strict=False):
                if text and number:
                    codes.setdefault(fold(text), []).append(str(file.texts.value(number)))
    return codes
