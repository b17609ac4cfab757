"""The texts of a column with their rows, what each is read as, and what it may mean."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ctdhub.core.i18n import LANGUAGES, Named, Text, field_as_json, language
from ctdhub.core.text import fold
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.choice_words import choice_words
from ctdhub.sensitive.mapping.decisions import (
    NOT_RECORDED,
    OTHER_KIND,
    STAYS,
    Answer,
    Sheet,
    askable,
    meanings,
    rule_at,
)
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.program import Asked
from ctdhub.sensitive.mapping.vocabulary import vocabulary
from ctdhub.sensitive.workbench.clusters import TextCluster, clusters
from ctdhub.sensitive.workbench.effects import FileEffect
from ctdhub.sensitive.workbench.meant import Meant, SuggestedCode, all_meant
from ctdhub.sensitive.workbench.opened import OpenedFile, TextCount
from ctdhub.sensitive.workbench.sheet_ids import ListSheet, sheet_name

_WORDS = {
    NOT_RECORDED: Text("means: not recorded"),
    OTHER_KIND: Text("another kind, none of these"),
    STAYS: Text("may stay unknown"),
}
_KEPT = 64


@dataclass(frozen=True)
class NamedSheet:
    """A sheet of decisions with the name that operations call it by.

    Attributes:
        name: see ``sheet_ids``.
        sheet: its rules and choices.
        split: the mark between the elements of its lists.
    """

    name: str
    sheet: Sheet
    split: str | None


@dataclass(frozen=True)
class Facets:
    """The texts of a sheet.

    Attributes:
        of: the sheet.
        values: its texts with their rows, those of most rows first.
        today: folded text to what it is read as; none where it is unknown.
    """

    of: NamedSheet
    values: tuple[TextCount, ...]
    today: dict[str, Answer]

    def unknown(self) -> list[TextCount]:
        """Texts that nothing reads."""
        return [one for one in self.values if not self.today.get(fold(one.text))]


def sheets_of(mapping: Mapping, file: OpenedFile, column: str) -> list[NamedSheet]:
    """The sheets that are about a column of the file."""
    found = []
    for sheet in askable(mapping):
        if any(file.header.find(name) == column for name in sheet.columns):
            first = rule_at(mapping, next(iter(sheet.places.values())))
            inside = next(iter(sheet.places.values()))[0] == "perpetrators"
            own = mapping.perpetrators.split if inside and mapping.perpetrators else None
            name = sheet_name(sheet, first)
            if sheet.flags and not inside:
                sheet = replace(sheet, choices=tuple(dict.fromkeys([*sheet.places, *_flags()])))
            found.append(NamedSheet(name, sheet, own or first.split))
    return found


def _flags() -> list[str]:
    return [v.name for v in load_schema().table("records") if v.kind == "flag"]


def unborn(name: str) -> NamedSheet | None:
    """A list that no rule searches yet; None where the name is no list's."""
    listed = ListSheet.of(name)
    if listed is None:
        return None
    return NamedSheet(name, Sheet(listed.columns, {}, tuple(_flags()), flags=True), listed.split)


_facets: OrderedDict[tuple[int, Asked, str], Facets] = OrderedDict()


def facets(mapping: Mapping, file: OpenedFile, of: NamedSheet, years: tuple[int, int]) -> Facets:
    """The texts of a sheet, and what the mapping reads each as."""
    key = (file.number, Asked.of(_alone(mapping, of), years), of.name)
    if key not in _facets:
        _facets[key] = _facets_of(mapping, file, of)
        while len(_facets) > _KEPT:
            _facets.popitem(last=False)
    _facets.move_to_end(key)
    return _facets[key]


def _alone(mapping: Mapping, of: NamedSheet) -> Mapping:
    """What the texts of a sheet depend on."""
    columns = {name: mapping.columns[name] for name in of.sheet.places if name in mapping.columns}
    return mapping.model_copy(update={"columns": columns, "tests": (), "exclude": ()})


def _facets_of(mapping: Mapping, file: OpenedFile, of: NamedSheet) -> Facets:
    silent = {"", *map(fold, mapping.empty)}
    rows: dict[str, int] = {}
    spelt: dict[str, str] = {}
    for column in of.sheet.columns:
        name = file.header.find(column)
        for text, n in file.counts(name) if name is not None else ():
            for element in dict.fromkeys(elements_of(text, of.split) if of.split else [text]):
                key = fold(element)
                if key not in silent:
                    spelt.setdefault(key, element)
                    rows[key] = rows.get(key, 0) + n
    ordered = sorted(rows, key=lambda key: (-rows[key], key))
    values = tuple(TextCount(spelt[key], rows[key]) for key in ordered)
    if not of.sheet.places:
        return Facets(of, values, {})
    answers = meanings(mapping, of.sheet, [one.text for one in values])
    return Facets(of, values, dict(zip(ordered, answers, strict=True)))


def suggestions(found: Facets) -> dict[str, SuggestedCode]:
    """What the unknown texts may mean."""
    unknown = found.unknown()
    known = {
        fold(one.text): (one.text, today)
        for one in found.values
        if (today := found.today.get(fold(one.text)))
    }
    if not unknown:
        return {}
    return all_meant(Meant(found.of.sheet, known, likely(found.of)), [one.text for one in unknown])


def clustered(found: Facets) -> tuple[list[TextCluster], Text | None]:
    """Spellings that may be one text, none of two decisions together."""
    alike: dict[Answer, set[str]] = {}
    for key, answer in found.today.items():
        if answer:
            alike.setdefault(answer, set()).add(key)
    made, note = clusters(found.values, map(frozenset, alike.values()))
    open_ = {fold(one.text) for one in found.unknown()}
    return [one for one in made if any(fold(text) in open_ for text in one.texts)], note


def likely(of: NamedSheet) -> frozenset[str]:
    """The choices that a text of a sheet is likely to mean: of a list the kinds of its groups."""
    if not of.sheet.flags:
        return frozenset(of.sheet.choices)
    schema = load_schema()
    groups = {schema.variable(name).group for name in of.sheet.places} - {None}
    groups |= {vocabulary().group_of(column) for column in of.sheet.columns} - {None}
    found = frozenset(v.name for v in schema.records if v.group in groups and v.kind == "flag")
    return found | of.sheet.places.keys() or frozenset(of.sheet.choices)


def choices(of: NamedSheet) -> Iterator[dict[str, Any]]:
    """What a text of a sheet can be: codes or flags, then the words for all others."""
    group = likely(of)
    for token in of.sheet.tokens():
        if token in _WORDS:
            yield {"code": token, "label": _WORDS[token].as_json(), "likely": True}
        else:
            label = field_as_json(Named(tuple(_said(of.sheet, token))))
            yield {"code": token, "label": label, "likely": token in group}


def _said(sheet: Sheet, token: str) -> Iterator[str]:
    variable = sheet if sheet.places else Sheet(sheet.columns, {token: ()}, sheet.choices, True)
    for code in LANGUAGES:
        with language(code):
            yield choice_words(variable, token)


def read_as(effect: FileEffect, file: OpenedFile, column: str) -> dict[str, list[str]]:
    """For the texts of a column that a rule reads alone, by their folded text: what they become."""
    found: dict[str, list[str]] = {}
    for group, one in effect.parts:
        if group.columns != (column,) or group.children:
            continue
        texts = file.combos(group.columns).table[column].to_pylist()
        for name in group.variables:
            for text, number, bad in zip(texts, one.values[name], one.faulty, strict=True):
                if text and number and not bad:
                    found.setdefault(fold(text), []).append(str(file.named(int(number))))
    return found
