"""What a mapping makes of single texts: sets of texts that are decided alike, their choices.

A sheet is about the texts of one rule that looks codes up (``map``, ``country``, ``band``), or of
all rules that search one list for flags (``has``).  An answer is a tuple of tokens: codes of the
variable, names of flags, or one of the words for what is neither.  What no text can answer, such as
a rule that holds for some rows only (``when``), has no sheet and stays a matter of the YAML.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from ctdhub.core.i18n import LANGUAGES, Named, Text, joined, language, said
from ctdhub.core.tables import ROW, fold
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import YEARS, TableName, load_schema
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, OTHER_KIND, STAYS, ListSheet
from ctdhub.sensitive.mapping.evaluation import TextTable
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.rule import Place, Rule
from ctdhub.sensitive.mapping.transform import Transformed

Answer = tuple[str, ...]
"""Tokens; none, where nobody has decided."""


@dataclass(frozen=True)
class Sheet:
    """Texts that are decided alike.

    Attributes:
        name: what operations call it.
        columns: the source columns whose texts they are.
        places: where the rules stand in the YAML, by variable; one rule, or one for each flag.
        choices: codes, or flags; an answer on flags may hold several.
        flags: whether the choices are flags.
        split: the mark between the elements of its lists.
    """

    name: str
    columns: tuple[str, ...]
    places: Dictionary[str, Place]
    choices: tuple[str, ...]
    flags: bool
    split: str | None = None

    def tokens(self) -> tuple[str, ...]:
        """Every token that an answer may hold, the words last."""
        words = (NOT_RECORDED, OTHER_KIND, STAYS) if self.flags else (NOT_RECORDED, STAYS)
        return (*self.choices, *words)


def askable(mapping: Mapping) -> Iterator[Sheet]:
    """The sheets of a mapping, in its order."""
    lists: dict[ListSheet, dict[str, Place]] = {}
    child = mapping.perpetrators
    for table, place, rule in _rules(mapping):
        if rule.when or not rule.source or rule.at or rule.year:
            continue
        target = str(place[-1] if isinstance(place[-1], str) else place[-2])
        if rule.has:
            lists.setdefault(ListSheet(table, rule.source, rule.split), {})[target] = place
        elif rule.map is not None or rule.country or rule.band:
            codes, name = load_schema().domain(target, YEARS), ".".join(map(str, place))
            own = child.split if child and table == "perpetrators" else None
            yield Sheet(name, rule.source, {target: place}, codes, False, own or rule.split)
    for listed, places in lists.items():
        yield _of_list(listed, places, child.split if child else None)


def _of_list(listed: ListSheet, places: dict[str, Place], own: str | None = None) -> Sheet:
    flags, split = [*places], own or listed.split
    if listed.table == "records":
        flags += [v.name for v in load_schema().records if v.kind == "flag"]
        split = listed.split
    choices = tuple(dict.fromkeys(flags))
    return Sheet(listed.name, listed.columns, places, choices, True, split)


def _rules(mapping: Mapping) -> Iterator[tuple[TableName, Place, Rule]]:
    """Table, place in the YAML and rule; a single rule may stand there without a list."""
    for table, start, columns in mapping.tables():
        for target, rules in columns.items():
            for i, rule in enumerate(rules):
                yield table, (*start, target, i) if len(rules) > 1 else (*start, target), rule


def rule_at(mapping: Mapping, place: Place) -> Rule:
    """The rule at a place of the YAML."""
    inside = place[0] == "perpetrators"
    columns = mapping.perpetrators.columns if inside and mapping.perpetrators else mapping.columns
    target, *index = place[2:] if inside else place[1:]
    return columns[str(target)][int(index[0]) if index else 0]


def meanings(mapping: Mapping, sheet: Sheet, texts: Sequence[str]) -> list[Answer]:
    """What the rules of a sheet make of texts, found by running them.

    Returns:
        An answer for each text; empty where it is unknown.
    """
    rules = {
        name: rule_at(mapping, place).model_copy(update={"split": None, "take": None})
        for name, place in sheet.places.items()
    }
    alone = mapping.model_copy(
        update={
            "columns": {name: (rule,) for name, rule in rules.items()},
            "perpetrators": None,
            "exclude": (),
            "tests": (),
            "identifiers": {},
        }
    )
    column, *others = sheet.columns
    numbers = pa.array(range(len(texts)), pa.int64())
    blank = {name: pa.nulls(len(texts), pa.string()) for name in others}
    cells = pa.table({column: pa.array(texts, pa.string()), **blank, ROW: numbers})
    values = Transformed(alone, TextTable(cells), YEARS).values.to_pylist()
    by_row = {value[ROW]: value for value in values}
    silent = _texts(rules.values(), lambda rule: rule.null_values) | {
        fold(text) for rule in rules.values() for text, code in (rule.map or {}).items() if not code
    }
    known = _texts(rules.values(), lambda rule: rule.known)
    found: list[Answer] = []
    for i, text in enumerate(texts):
        value = by_row.get(i, {})
        if sheet.flags:
            answer = tuple(name for name in sheet.places if value.get(name) == "yes")
        else:
            answer = tuple(str(value[name]) for name in sheet.places if value.get(name) is not None)
        if not answer and fold(text) in silent:
            answer = (NOT_RECORDED,)
        elif not answer and fold(text) in known:
            answer = (OTHER_KIND,)
        elif not answer and any(_accepted(mapping, c, text) for c in sheet.columns):
            answer = (STAYS,)
        found.append(answer)
    return found


def _texts(rules: Iterable[Rule], of: Any) -> frozenset[str]:
    return frozenset(fold(text) for rule in rules for text in of(rule))


def _accepted(mapping: Mapping, column: str, text: str) -> bool:
    return any(
        entry.text is not None
        and fold(entry.text) == fold(text)
        and fold(entry.column or "") == fold(column)
        for entry in mapping.accept
    )


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
    variable = "" if sheet.flags else next(iter(sheet.places))
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
