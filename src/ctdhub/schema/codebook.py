"""The codebook as data: one row for each group, variable and code; as CSV and as JSON."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import getitem
from typing import Any, get_args

from ctdhub.core.i18n import LANGUAGES
from ctdhub.core.tables import as_csv, as_json
from ctdhub.schema import countries, labels
from ctdhub.schema.model import TableName, Variable, load_schema

TABLES: tuple[TableName, ...] = get_args(TableName)
COLUMNS = ("variable", "kind", "table", "group", "denominator", "code", "public", "source")


def own_variables(table: TableName) -> tuple[Variable, ...]:
    """Variables that a table adds: those that people share with records are listed once."""
    schema = load_schema()
    return schema.people if table == "people" else schema.table(table)


def codes(variable: Variable) -> tuple[str, ...]:
    """Codes that a record may have, with those that leave it out.

    None for years, whose bounds are a hub's policy, and for entities.
    """
    if variable.kind == "year" or (variable.code_list is None):
        return ()
    return load_schema().recorded(variable.name)


def denominator(variable: Variable) -> str | None:
    """Name of the variable whose recorded people are the denominator of shares.

    A flag of a group has the group's indicator ("yes"); each kind of assistance, itself.

    >>> denominator(load_schema().variable("labour_begging"))
    'any_labour'
    """
    if variable.group is None:
        return None
    return load_schema().groups[variable.group].indicator or variable.name


def section(variable: Variable) -> str | None:
    """Group under which a reader looks for a variable.

    A flag outside every group, such as "not specified", is found by the group its name begins with.

    >>> section(load_schema().variable("recruiter_unknown"))
    'recruiter'
    """
    prefix = variable.name.split("_")[0]
    beside = variable.kind == "flag" and prefix in load_schema().groups
    return variable.group or (prefix if beside else None)


def codebook_csv(langs: Sequence[str] = LANGUAGES) -> str:
    """The codebook as CSV (UTF-8 text, comma, CRLF): groups, then variables, each with its codes.

    Columns: :data:`COLUMNS`, then ``label_<lang>`` and ``definition_<lang>`` for each language.
    A row of a variable has an empty ``code``; a row of a group has the kind ``group``.

    Raises:
        KeyError: a language is not offered.
    """
    header = _header(langs)
    return as_csv(header, ([row.get(name) for name in header] for row in _rows(langs)), end="\r\n")


def _header(langs: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"{part}_{lang}" for lang in langs for part in ("label", "definition"))]


def _rows(langs: Sequence[str]) -> Iterator[dict[str, str]]:
    def texts(label: Callable[..., str], definition: Callable[..., str], *key: str) -> Any:
        of = {"label": label, "definition": definition}
        return {f"{part}_{lang}": say(*key, lang) for lang in langs for part, say in of.items()}

    for name, group in load_schema().groups.items():
        row = {"kind": "group", "table": "records", "group": name, "source": labels.source(name)}
        words = texts(labels.group_label, labels.group_definition, name)
        yield {**row, "denominator": group.indicator or "", **words}
    for table in TABLES:
        for v in own_variables(table):
            row = {
                "variable": v.name,
                "kind": v.kind,
                "table": table,
                "group": v.group or "",
                "denominator": denominator(v) or "",
                "public": "yes" if v.public else "no",
            }
            words = texts(labels.label, labels.definition, v.name)
            yield {**row, "source": labels.source(v.name), **words}
            for code in codes(v):
                words = texts(labels.code_label, labels.code_definition, v.name, code)
                yield {**row, "code": code, **words}


def codebook_json(langs: Sequence[str] = LANGUAGES) -> str:
    """The codebook as JSON: groups, tables with variables, code lists, countries with regions.

    Every text is an object from language to words.

    Raises:
        KeyError: a language is not offered.
    """
    schema = load_schema()

    def words(part: str, *path: str) -> dict[str, dict[str, str]]:
        files = {lang: getattr(labels.load_labels(lang), part) for lang in langs}
        entries = {lang: reduce(getitem, path, file) for lang, file in files.items()}
        parts = ("label", "definition")
        return {of: {lang: getattr(e, of) for lang, e in entries.items()} for of in parts}

    book: dict[str, Any] = {
        "version": schema.version,
        "languages": list(langs),
        "missing": None,
        "groups": [
            {"name": n, **words("groups", n), "indicator": g.indicator, "source": labels.source(n)}
            for n, g in schema.groups.items()
        ],
        "tables": [
            {
                "name": table,
                **words("tables", table),
                "variables": [
                    {
                        "name": v.name,
                        **words("variables", v.name),
                        "kind": v.kind,
                        "codes": v.code_list,
                        "group": v.group,
                        "denominator": denominator(v),
                        "core": v.core,
                        "public": v.public,
                        "since": v.since,
                        "on_request": v.on_request,
                        "source": labels.source(v.name),
                    }
                    for v in own_variables(table)
                ],
            }
            for table in TABLES
        ],
        "codes": {
            name: [{"code": code, **words("codes", name, code)} for code in values]
            for name, values in schema.codes.items()
        },
        "countries": [_country(code, langs) for code in countries.ALPHA3],
    }
    return as_json(book)


def _country(alpha3: str, langs: Sequence[str]) -> dict[str, Any]:
    return {
        "code": alpha3,
        "alpha2": countries.ALPHA3_TO_ALPHA2[alpha3],
        "m49": countries.m49(alpha3),
        "region": countries.region(alpha3),
        "subregion": countries.subregion(alpha3),
        "label": {lang: countries.name(alpha3, lang) for lang in langs},
    }
