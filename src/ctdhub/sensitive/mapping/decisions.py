"""What a mapping makes of single texts, as questions, and answers put back into its YAML.

A sheet is about the texts of one rule that looks codes up (``map``, ``country``, ``band``), or of
all rules that search one list for flags (``has``).  An answer is a tuple of tokens: codes of the
variable, names of flags, or one of the words below.  What no text can answer, such as a rule that
holds for some rows only (``when``), has no sheet and stays a matter of the YAML.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES, _, current, language
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema import countries
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import YEARS, TableName, load_schema
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import Header, elements_of, kinds_of
from ctdhub.sensitive.mapping.rule import Place, Rule, Rules
from ctdhub.sensitive.mapping.texts import nearest
from ctdhub.sensitive.mapping.transform import Transform

NOT_RECORDED, OTHER_KIND, STAYS = "not-recorded", "other-kind", "stays-unknown"
"""Beside codes and flags: the text means "not recorded"; it is none of the flags, and known to be;
it may stay unknown (``accept``)."""

Answer = tuple[str, ...]
"""Tokens; none, where nobody has decided."""


@dataclass(frozen=True)
class TextAsked:
    """A text and what the mapping makes of it today.

    Attributes:
        text: as the file, or the mapping, writes it.
        rows: cells of the file that hold it; None without a file.
        today: what it becomes; empty where it is unknown.
    """

    text: str
    rows: int | None
    today: Answer


@dataclass(frozen=True)
class Sheet:
    """Texts that are decided alike.

    Attributes:
        columns: the source columns whose texts they are.
        places: where the rules stand in the YAML, by variable; one rule, or one for each flag.
        choices: codes, or flags; an answer on flags may hold several.
        flags: whether the choices are flags.
        questions: unknown texts first, then those of most rows.
    """

    columns: tuple[str, ...]
    places: Dictionary[str, Place]
    choices: tuple[str, ...]
    flags: bool
    questions: tuple[TextAsked, ...] = ()

    @property
    def key(self) -> str:
        """What the sheet is called, whatever its questions."""
        return ".".join(map(str, next(iter(self.places.values()))))

    def tokens(self) -> tuple[str, ...]:
        """Every token that an answer may hold, the words last."""
        words = (NOT_RECORDED, OTHER_KIND, STAYS) if self.flags else (NOT_RECORDED, STAYS)
        return (*self.choices, *words)


def sheets(mapping: Mapping, table: pa.Table | None = None) -> tuple[Sheet, ...]:
    """The questions about a mapping, in its order.

    Args:
        mapping: the mapping.
        table: text columns of a file; without one only texts of the mapping itself are asked about.
    """
    found = [_with_questions(sheet, mapping, table) for sheet in askable(mapping)]
    return tuple(sheet for sheet in found if sheet.questions)


def askable(mapping: Mapping) -> Iterator[Sheet]:
    """The sheets of a mapping, without questions."""
    lists: dict[tuple[Any, ...], dict[str, Place]] = {}
    for table, columns in _tables(mapping):
        for target, place, rule in _rules(columns, table):
            if rule.when or not rule.source or rule.at or rule.year:
                continue
            if rule.has:
                lists.setdefault((table, rule.source, rule.split), {})[target] = place
            elif rule.map is not None or rule.country or rule.band:
                codes = load_schema().domain(target, YEARS)
                yield Sheet(rule.source, {target: place}, codes, flags=False)
    free = _unmapped_flags(mapping)
    for (table, source, _split), places in lists.items():
        more = free if table == "records" else ()
        yield Sheet(source, places, (*places, *more), flags=True)


def _tables(mapping: Mapping) -> Iterator[tuple[TableName, dict[str, Rules]]]:
    yield "records", mapping.columns
    if mapping.perpetrators:
        yield "perpetrators", mapping.perpetrators.columns


def _rules(columns: dict[str, Rules], table: TableName) -> Iterator[tuple[str, Place, Rule]]:
    """Variable, place in the YAML and rule; a single rule may stand there without a list."""
    start: Place = ("columns",) if table == "records" else ("perpetrators", "columns")
    for target, rules in columns.items():
        for i, rule in enumerate(rules):
            yield target, (*start, target, i) if len(rules) > 1 else (*start, target), rule


def _unmapped_flags(mapping: Mapping) -> tuple[str, ...]:
    kinds = load_schema().table("records")
    return tuple(v.name for v in kinds if v.kind == "flag" and v.name not in mapping.columns)


def _with_questions(sheet: Sheet, mapping: Mapping, table: pa.Table | None) -> Sheet:
    rules = {name: rule_at(mapping, place) for name, place in sheet.places.items()}
    first = next(iter(rules.values()))
    silent = {"", *map(fold, mapping.empty)}
    rows = None if table is None else _counted(table, sheet, mapping, first)
    own: dict[str, str] = {}
    for rule in rules.values():
        for text in (*(rule.map or {}), *rule.has, *rule.known):
            own.setdefault(fold(text), text)
    spelt = own | {fold(text): text for text in rows or {}}
    asked = [text for key, text in spelt.items() if key not in silent]
    today = meanings(mapping, sheet, asked)
    questions = [
        TextAsked(text, None if rows is None else rows[text], answer)
        for text, answer in zip(asked, today, strict=True)
        if fold(text) in own or not first.band or not answer
    ]
    questions.sort(key=lambda q: (bool(q.today), -(q.rows or 0), q.text))
    return replace(sheet, questions=tuple(questions))


def _counted(table: pa.Table, sheet: Sheet, mapping: Mapping, rule: Rule) -> Counter[str]:
    """Cells of the sheet's columns by what they hold; of a list each element counts."""
    header, found = Header(table.column_names), Counter[str]()
    inside = next(iter(sheet.places.values()))[0] == "perpetrators"
    split = mapping.perpetrators.split if inside and mapping.perpetrators else rule.split
    spelt: dict[str, str] = {}
    for column in sheet.columns:
        if (name := header.find(column)) is None:
            continue
        for entry in table[name].drop_null().value_counts().to_pylist():
            cell = trim(entry["values"])
            of = kinds_of if rule.has else elements_of
            for element in dict.fromkeys(of(cell, split) if split else [cell]):
                if element:
                    found[spelt.setdefault(fold(element), element)] += entry["counts"]
    return found


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
    values = Transform(alone, YEARS).run(cells).values.to_pylist()
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


def put(document: Any, sheet: Sheet, text: str, answer: Answer) -> None:
    """Write one answer into the YAML as data; what is not concerned stays as it is.

    Args:
        document: the mapping's YAML as dictionaries and lists; changed in place.
        sheet: where its rules stand.
        answer: tokens of :meth:`Sheet.tokens`.

    Raises:
        MappingError: a rule would search for nothing any more.
    """
    rules = {name: _node(document, place) for name, place in sheet.places.items()}
    if answer == (STAYS,):
        entry = {"text": text, "column": sheet.columns[0]}
        document.setdefault("accept", []).append(entry)
    elif not sheet.flags:
        (rule,) = rules.values()
        codes = rule.setdefault("map", {})
        _drop_from(rule, "null_values", text)
        codes[_spelling(codes, text)] = None if answer == (NOT_RECORDED,) else answer[0]
    else:
        _put_flags(document, rules, sheet, text, answer)


def _put_flags(
    document: Any, rules: dict[str, Any], sheet: Sheet, text: str, answer: Answer
) -> None:
    for rule in rules.values():
        for key in ("known", "null_values"):
            _drop_from(rule, key, text)
    first = next(iter(rules.values()))
    if answer == (OTHER_KIND,):
        _add_to(first, "known", text)
    for name, rule in rules.items():
        if answer == (NOT_RECORDED,):
            _add_to(rule, "null_values", text)
        if name in answer:
            _add_to(rule, "has", text)
        elif _drop_from(rule, "has", text) and not rule.get("has"):
            raise error("mapping-book/nothing-left", name=name, places=sheet.key)
    for name in answer:
        if name in sheet.choices and name not in rules:
            same = {k: first[k] for k in ("from", "split", "absent", "unknown") if k in first}
            document["columns"][name] = {**same, "has": [text]}
            rules[name] = document["columns"][name]
            for silent in _listed(first, "null_values"):  # in every flag of the list
                _add_to(rules[name], "null_values", silent)


def _node(document: Any, place: Place) -> Any:
    node = document
    for part in place:
        node = node[part]
    return node[0] if isinstance(node, list) else node


def _listed(rule: Any, key: str) -> list[str]:
    """A list under a key, made of the single text that may stand there."""
    value = rule.get(key, [])
    if not isinstance(value, list):
        rule[key] = value = [value]
    return value


def _add_to(rule: Any, key: str, text: str) -> None:
    if key not in rule:
        rule[key] = []
    listed = _listed(rule, key)
    if fold(text) not in map(fold, listed):
        listed.append(text)


def _drop_from(rule: Any, key: str, text: str) -> bool:
    if key not in rule:
        return False
    listed = _listed(rule, key)
    places = [i for i, one in enumerate(listed) if fold(str(one)) == fold(text)]
    for i in reversed(places):
        del listed[i]
    if not listed and key != "has":
        del rule[key]
    return bool(places)


def _spelling(codes: Any, text: str) -> str:
    """The key of a ``map`` that stands for a text, or the text."""
    return next((key for key in codes if fold(str(key)) == fold(text)), text)


# --------------------------------------------------------------------------------------------------
# The choices of a sheet of decisions in words, and which of them a text is likest to.


def spellings_of(sheet: Sheet) -> dict[str, str]:
    """Folded codes, and labels in every language that name one choice only."""
    found: dict[str, set[str]] = {}
    for code in LANGUAGES:
        with language(code):
            for token in sheet.tokens():
                found.setdefault(fold(choice_words(sheet, token)), set()).add(token)
    named = {text: next(iter(tokens)) for text, tokens in found.items() if len(tokens) == 1}
    return named | {fold(token): token for token in sheet.tokens()}


def choice_words(sheet: Sheet, token: str) -> str:
    """A choice in the language in force."""
    if token == NOT_RECORDED:
        return _("means: not recorded")
    if token == OTHER_KIND:
        return _("another kind, none of these")
    if token == STAYS:
        return _("may stay unknown")
    return _named(next(iter(sheet.places)), token, sheet.flags, current())


@lru_cache(maxsize=8_192)
def _named(variable: str, token: str, flags: bool, code: str) -> str:
    if flags:
        return label(token, code)
    if load_schema().variable(variable).kind == "country":
        return countries.name(token, code)
    return code_label(variable, token, code)


class LikestChoice:
    """Finds what a text may mean: the choice with that label, else the likest text or label."""

    def __init__(self, sheet: Sheet) -> None:
        self._known: dict[str, Answer] = {fold(q.text): q.today for q in sheet.questions if q.today}
        for text, token in spellings_of(sheet).items():
            if token in sheet.choices:
                self._known.setdefault(text, (token,))

    def __call__(self, question: TextAsked) -> Answer:
        text = fold(question.text)
        if text in self._known:
            return self._known[text]
        return nearest(text, self._known) or ()
