"""What is emitted from the schema: Arrow types, Frictionless schemas, the codebook in files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema import labels
from ctdhub.schema.codebook import TABLES, codebook_csv, codebook_json, codes
from ctdhub.schema.model import Kind, TableName, Variable, load_schema

Format = Literal["html", "csv", "json", "frictionless", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)

ARROW: dict[Kind, pa.DataType] = {
    "year": pa.int16(),
    "code": pa.string(),
    "country": pa.string(),
    "flag": pa.string(),
    "status": pa.string(),
    "entity": pa.string(),
    "count": pa.int32(),
}

_FRICTIONLESS: dict[Kind, str] = {"year": "year", "count": "integer"}
_BYTE_ORDER_MARK = "\ufeff"


def arrow_schema(table: TableName) -> pa.Schema:
    """Columns of a table in order, all nullable; null means "not recorded".

    >>> arrow_schema("records").field("year_of_registration").type
    DataType(int16)
    """
    fields = [pa.field(v.name, ARROW[v.kind]) for v in load_schema().table(table)]
    return pa.schema(fields)


def frictionless(
    table: TableName, columns: Sequence[str] | None = None, lang: str = LANGUAGES[0]
) -> dict[str, Any]:
    """The table as a Frictionless Table Schema (Data Package v1), codes as ``enum``.

    Args:
        table: a table of the schema.
        columns: the variables wanted, in that order; all of the table without.
        lang: language of titles and descriptions.

    Raises:
        KeyError: a column is not of the table, or the language is not offered.

    >>> frictionless("records", ["majority_status"])["fields"][0]["constraints"]
    {'enum': ['minor', 'adult']}
    """
    variables = {v.name: v for v in load_schema().table(table)}
    wanted = list(variables) if columns is None else columns
    return {"fields": [_field(variables[name], lang) for name in wanted], "missingValues": [""]}


def _field(v: Variable, lang: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": v.name,
        "type": _FRICTIONLESS.get(v.kind, "string"),
        "title": labels.label(v.name, lang),
        "description": labels.definition(v.name, lang),
    }
    if codes(v):  # those of records that are left out are in no table
        field["constraints"] = {"enum": list(load_schema().domain(v.name))}
    return field


def write_codebook(
    folder: Path, form: Format, langs: Sequence[str] = LANGUAGES
) -> tuple[Path, ...]:
    """Write the codebook into a folder, which is made if it is not there.

    html: ``codebook.html`` in English and ``codebook.<lang>.html``, linked with one another;
    csv and json: ``codebook.csv``, ``codebook.json``; frictionless: ``<table>.schema.json``, with
    titles in the first language; arrow: ``<table>.arrow``, a file of the columns without rows.

    Returns:
        The files written.

    Raises:
        HubError: there is a file where the folder should be, or it cannot be written.
        KeyError: a language is not offered.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(_write(folder / name, data) for name, data in _files(form, langs).items())
    except OSError as cause:
        raise error("codebook-folder", file=folder) from cause


def _files(form: Format, langs: Sequence[str]) -> dict[str, bytes]:
    if form == "html":
        from ctdhub.schema.codebook_html import codebook_html

        names = {g: f"codebook.{g}.html" if g != LANGUAGES[0] else "codebook.html" for g in langs}
        links = names if len(names) > 1 else {}
        return {name: codebook_html(g, links).encode() for g, name in names.items()}
    if form == "csv":
        # Spreadsheets read UTF-8 by the mark.
        return {"codebook.csv": (_BYTE_ORDER_MARK + codebook_csv(langs)).encode()}
    if form == "json":
        return {"codebook.json": codebook_json(langs).encode()}
    if form == "frictionless":
        return {
            f"{table}.schema.json": json.dumps(
                frictionless(table, lang=langs[0]), ensure_ascii=False, indent=1
            ).encode()
            for table in TABLES
        }
    return {f"{table}.arrow": _arrow_file(arrow_schema(table)) for table in TABLES}


def _arrow_file(schema: pa.Schema) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema):
        pass
    return bytes(sink.getvalue())


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
