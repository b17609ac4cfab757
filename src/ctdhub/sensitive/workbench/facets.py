"""Sheets: texts of a file that are decided alike, what each is read as, and what it may mean.

A sheet is about the texts of one rule that looks codes up (``map``, ``country``, ``band``), or of
all rules that search one list for flags (``has``).  An answer is a tuple of tokens: codes of the
variable, names of flags, or one of the words for what is neither.  What no text can answer, such as
a rule that holds for some rows only (``when``), has no sheet and stays a matter of the YAML.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from ctdhub.core.i18n import LANGUAGES, Named, Numeral, Text, joined, language, said
from ctdhub.core.tables import ROW, fold
from ctdhub.schema import countries
from ctdhub.schema.countries import country_said, look_up, resolve
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import AGE, YEARS, load_schema
from ctdhub.sensitive.mapping.drafting import proposals
from ctdhub.sensitive.mapping.drafting.row_unit import decided_columns
from ctdhub.sensitive.mapping.drafting.suggest import likeliest
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary, word
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, OTHER_KIND, STAYS, ListSheet
from ctdhub.sensitive.mapping.evaluation import TextTable
from ctdhub.sensitive.mapping.file_account import nearest
from ctdhub.sensitive.mapping.mapping import Mapping, Rule
from ctdhub.sensitive.mapping.parsers import elements_of, kinds_of
from ctdhub.sensitive.mapping.transform import Asked, Transformed
from ctdhub.sensitive.workbench.opened import FileEffect, OpenedFile, TextCount

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
        if rule.when or not rule.source or rule.at or rule.year:
            continue
        if rule.has:
            lists.setdefault(ListSheet(table, rule.source, rule.split), {})[target] = rule
        elif rule.map is not None or rule.country or rule.band:
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
    found: list[Answer] = []
    for i, text in enumerate(texts):
        said = {name: by_row.get(i, {}).get(name) for name in sheet.rules}
        answer = tuple(
            name if sheet.flags else str(code)
            for name, code in said.items()
            if (code == "yes" if sheet.flags else code is not None)
        )
        words = ((silent, NOT_RECORDED), (known, OTHER_KIND), (accepted, STAYS))
        found.append(answer or next(((word,) for of, word in words if fold(text) in of), ()))
    return found


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


def choice_name(sheet: Sheet, token: str) -> Text | Named:
    """A choice in every language."""
    if token in _WORDS:
        return _WORDS[token]
    variable = "" if sheet.flags else next(iter(sheet.rules))
    return _named(variable, token)


@lru_cache(maxsize=8_192)
def _named(variable: str, token: str) -> Named:
    """The label of a code, or of a flag."""
    if not variable:
        return Named.of(lambda code: label(token, code))
    if load_schema().variable(variable).kind == "country":
        return Named.of(lambda code: countries.name(token, code))
    return Named.of(lambda code: code_label(variable, token, code))


def spellings_of(sheet: Sheet) -> dict[str, str]:
    """Folded codes, and labels in every language that name one choice only."""
    found: dict[str, set[str]] = {}
    for code in LANGUAGES:
        with language(code):
            for token in sheet.tokens():
                found.setdefault(fold(choice_words(sheet, token)), set()).add(token)
    named = {text: next(iter(tokens)) for text, tokens in found.items() if len(tokens) == 1}
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
        ("facets", Asked.of(alone, years), of.name),
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
        own = {fold(t): t for r in rules for t in (*(r.map or {}), *r.has, *r.known)}
        there = _texts_in(mapping, file, of) if file else {}
        every = {key: TextCount(text, 0) for key, text in own.items()} | there
        seen = _with_meanings(mapping, of, every)
        asked = [
            one
            for one in seen.values
            if fold(one.text) in own or not rules[0].band or not seen.today[fold(one.text)]
        ]
        asked.sort(key=lambda one: (bool(seen.today[fold(one.text)]), -one.rows, one.text))
        if asked:
            yield Facets(of, tuple(asked), seen.today)


def _texts_in(mapping: Mapping, file: OpenedFile, of: Sheet) -> dict[str, TextCount]:
    """The texts of a sheet in a file, by their folded text."""
    silent = {"", *map(fold, mapping.empty)}
    found: dict[str, TextCount] = {}
    parts = kinds_of if of.flags else elements_of
    for name in (file.header.find(column) for column in of.columns):
        for text, n in file.counts(name) if name is not None else ():
            for element in dict.fromkeys(parts(text, of.split) if of.split else [text]):
                key = fold(element)
                if key not in silent:
                    spelt, rows = found.get(key, (element, 0))
                    found[key] = TextCount(spelt, rows + n)
    return found


def _with_meanings(mapping: Mapping, of: Sheet, texts: dict[str, TextCount]) -> Facets:
    silent = {"", *map(fold, mapping.empty)}
    ordered = sorted(texts.keys() - silent, key=lambda key: (-texts[key].rows, key))
    values = tuple(texts[key] for key in ordered)
    answers = meanings(mapping, of, [one.text for one in values])
    return Facets(of, values, dict(zip(ordered, answers, strict=True)))


class Meant:
    """Finds what the unknown texts of a sheet may mean.

    Args:
        found: the texts of the sheet, those among them that the mapping reads already.
    """

    def __init__(self, found: Facets) -> None:
        self._sheet = sheet = found.of
        variable, own = next(iter(sheet.rules)), vocabulary()
        self._variable = "" if sheet.flags else variable
        self._country = not sheet.flags and load_schema().variable(variable).kind == "country"
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
        today = {fold(v.text): v.text for v in found.values if found.today.get(fold(v.text))}
        self._spelt = today
        self._known = {key: found.today[key] for key in today if found.today[key] != (STAYS,)}
        self._keys = {fingerprint(key): key for key in reversed(self._known)}
        self._left = LIKENESSES

    def __call__(self, text: str) -> SuggestedCode | None:
        """What a text may mean, None where nothing speaks for anything."""
        key, said = fold(text), word(text)
        if (codes := self._words.get(key)) is not None:
            return SuggestedCode(codes, Text("it is the name of this choice"), True)
        if said and (codes := self._vocabulary.get(said)) is not None:
            return SuggestedCode(codes, Text("a known word for this choice"), True)
        if self._variable in (AGE, proposals.MAJORITY) and (found := self._as_age(text)):
            return found
        if self._country and (found := self._as_country(text)):
            return found
        if said not in self._strangers and proposals.means_nothing(text):
            return SuggestedCode((NOT_RECORDED,), Text("it means “not recorded”"), True)
        if (like := self._keys.get(fingerprint(text))) is not None:
            reason = Text("spelt like “{text}”", text=self._spelt[like])
            return SuggestedCode(self._known[like], reason, True)
        return self._by_likeness(key)

    def _as_age(self, text: str) -> SuggestedCode | None:
        """The band of ages; where they are of several, or not exact, a person decides."""
        years = proposals.years_in(text)
        if years is None:
            vague = Text("an approximate age: choose its band, or leave it not recorded")
            unsure = SuggestedCode((NOT_RECORDED,), vague, False)
            return None if proposals.about(text) is None else unsure
        said = Text("ages {low} to {high}", low=Numeral(years.low), high=Numeral(years.high))
        code = proposals.side(years)
        if self._variable == AGE:
            code = proposals.band_holding(years, self._sheet.choices)
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
        named = Named.of(lambda language: countries.name(code, language))
        reason = Text("looks like “{text}”", text=named)
        return SuggestedCode((code,), reason, False)

    def _by_likeness(self, key: str) -> SuggestedCode | None:
        if self._left <= 0 or self._country:
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
        found: dict[Answer, str] = {}
        for name, answer in {**self._words, **self._known}.items():
            theirs = stems(name)
            if mine and theirs and (mine <= theirs or theirs <= mine):
                found.setdefault(answer, name)
        return next(iter(found.values())) if len(found) == 1 else None


def suggestions(found: Facets) -> dict[str, SuggestedCode]:
    """What the unknown texts may mean, in their order; those without a suggestion are left out."""
    unknown = found.unknown()
    meant = Meant(found) if unknown else None
    made = ((one.text, meant(one.text)) for one in unknown if meant)
    return {
        text: one._replace(codes=with_implied(one.codes, found.of))
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


def clusters(found: Facets) -> list[TextCluster]:
    """Texts that differ in case, accents, marks and order of words alone, where some are open.

    As OpenRefine's key collision: a proposal for a person, and nothing is merged by itself.  Texts
    of two decisions are never together.
    """
    alike: dict[str, list[TextCount]] = defaultdict(list)
    for one in found.values:
        alike[fingerprint(one.text) or fold(one.text)].append(one)
    made = []
    for own in alike.values():
        answers = {found.today.get(fold(one.text), ()) for one in own}
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
    found = frozenset(v.name for v in schema.records if v.group in groups and v.kind == "flag")
    return found | of.rules.keys() or frozenset(of.choices)


def read_as(effect: FileEffect, file: OpenedFile, column: str) -> dict[str, list[str]]:
    """For the texts of a column that a rule reads alone, by their folded text: what they become."""
    found: dict[str, list[str]] = {}
    unread = [answer.faults for _column, answer in effect.brackets if answer.on == column]
    for on, values, faults in effect.answers.values():
        if on == column:
            read = (values * (sum(unread, faults) == 0)).tolist()
            for text, number in zip(file.texts.texts(column), read, strict=False):
                if text and number:
                    found.setdefault(fold(text), []).append(str(file.texts.named(number)))
    return found
