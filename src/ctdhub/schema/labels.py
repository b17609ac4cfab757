"""Labels and definitions of everything in the schema, in every offered language.

>>> label("citizenship", "fr")
'Nationalité'
>>> code_label("citizenship", "CIV", "es")
'Côte d’Ivoire'
>>> code_label("assistance_medical", "declined", "en")
'Declined'
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any

from pydantic import Field

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, read_shipped
from ctdhub.schema import countries
from ctdhub.schema.model import Kind, TableName, load_schema

Words = Annotated[str, Field(min_length=1)]

EACH = "each"
"""Key of a code list whose entries are patterns: ``{code}`` and, for countries, ``{name}``."""


class LabelEntry(FrozenModel):
    """A label of a few words and a definition of one to three sentences."""

    label: Words
    definition: Words


class Labels(FrozenModel):
    """One language's file.  ``page`` holds the words of the codebook itself."""

    tables: dict[TableName, LabelEntry]
    kinds: dict[Kind, Words]
    page: dict[str, Words]
    groups: dict[str, LabelEntry]
    variables: dict[str, LabelEntry]
    codes: dict[str, dict[str, LabelEntry]]


class LabelSources(FrozenModel):
    """Where each meaning comes from: one citation for each variable and group."""

    variables: dict[str, Words]
    groups: dict[str, Words]


def _values(*path: str) -> Any:
    return read_shipped(resources.files("ctdhub.schema").joinpath("data", *path))


@cache
def load_labels(lang: str) -> Labels:
    """Labels of one language; KeyError where it is not offered."""
    if lang not in LANGUAGES:
        raise KeyError(f"no labels in language {lang!r}; offered: {', '.join(LANGUAGES)}")
    return Labels.model_validate(_values("labels", f"{lang}.yaml"))


@cache
def load_sources() -> LabelSources:
    """Citations of all variables and groups."""
    return LabelSources.model_validate(_values("sources.yaml"))


def _entry(entries: Mapping[Any, LabelEntry], key: str, what: str) -> LabelEntry:
    if key not in entries:
        raise KeyError(f"no {what} {key!r} in the schema")
    return entries[key]


def label(name: str, lang: str) -> str:
    """Label of a variable.  Raises KeyError for an unknown variable or language."""
    return _entry(load_labels(lang).variables, name, "variable").label


def definition(name: str, lang: str) -> str:
    """Definition of a variable.  Raises KeyError for an unknown variable or language."""
    return _entry(load_labels(lang).variables, name, "variable").definition


def group_label(group: str, lang: str) -> str:
    """Label of a group of variables.  Raises KeyError for an unknown group or language."""
    return _entry(load_labels(lang).groups, group, "group").label


def group_definition(group: str, lang: str) -> str:
    """Definition of a group of variables.  Raises KeyError for an unknown group or language."""
    return _entry(load_labels(lang).groups, group, "group").definition


def table_label(table: str, lang: str) -> str:
    """Label of a table.  Raises KeyError for an unknown table or language."""
    return _entry(load_labels(lang).tables, table, "table").label


def table_definition(table: str, lang: str) -> str:
    """Definition of a table.  Raises KeyError for an unknown table or language."""
    return _entry(load_labels(lang).tables, table, "table").definition


def source(name: str) -> str:
    """Citation behind the meaning of a variable or group, in English as published.

    Raises:
        KeyError: neither a variable nor a group has that name.
    """
    sources = load_sources()
    for citations in (sources.variables, sources.groups):
        if name in citations:
            return citations[name]
    raise KeyError(f"no variable or group {name!r} in the schema")


def code_label(variable: str, code: str, lang: str) -> str:
    """Label of a code of a variable; for a country its name, for a year the year itself.

    Raises:
        KeyError: unknown variable, code or language, or the variable has no codes.
    """
    return _code(variable, str(code), lang).label


def code_definition(variable: str, code: str, lang: str) -> str:
    """Definition of a code of a variable.

    Raises:
        KeyError: unknown variable, code or language, or the variable has no codes.
    """
    return _code(variable, str(code), lang).definition


@cache
def _code(variable: str, code: str, lang: str) -> LabelEntry:
    schema = load_schema()
    if not schema.has(variable):
        raise KeyError(f"no variable {variable!r} in the schema")
    v = schema.variable(variable)
    entries = load_labels(lang).codes
    if v.kind == "year" and len(code) == 4 and code.isdecimal():
        return _filled(entries["year"][EACH], code, code)
    if v.kind == "country" and code in countries.ALPHA3_TO_ALPHA2:
        return _filled(entries["country"][EACH], code, countries.name(code, lang))
    if v.kind not in ("year", "country") and v.code_list and code in entries[v.code_list]:
        return entries[v.code_list][code]
    # A code in a file may be a value of a case record: the message does not repeat it.
    raise KeyError(f"variable {variable!r} has no such code")


def _filled(entry: LabelEntry, code: str, name: str) -> LabelEntry:
    return LabelEntry(
        label=entry.label.format(code=code, name=name),
        definition=entry.definition.format(code=code, name=name),
    )
