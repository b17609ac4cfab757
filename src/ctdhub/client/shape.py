"""From the JSON of a site to tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ctdhub.client.source import Source
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError

LARGEST_JSON = 50 * 2**20
"""Bytes."""
NUMBERS = ("count", "low", "high", "state")
ONCE = ("once_low", "once_high")
_NOT_AS_DESCRIBED = (
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What Python and Arrow raise where a file has another shape; Arrow's own errors are among them."""


def read_json(source: Source, path: str) -> dict[str, Any]:
    """A JSON file of a site, which is an object.

    Raises:
        SiteError: it is missing, too large, or no such thing.
    """
    text = source.read(path, LARGEST_JSON)
    with damage():
        found = json.loads(text)
    if not isinstance(found, dict):
        raise damaged(path)
    return found


def damaged(path: str = "") -> HubError:
    """The error for a file that is not what it should be."""
    return error("damaged", file=path or None)


@contextmanager
def damage() -> Iterator[None]:
    """Turn what goes wrong in reading a file of the wrong shape into one error."""
    try:
        yield
    except _NOT_AS_DESCRIBED:
        raise damaged() from None


def columns(variables: tuple[str, ...]) -> dict[str, str]:
    """Columns of a table of counts and their types."""
    numbers = dict.fromkeys(("count", "low", "high"), "int64")
    return {**dict.fromkeys(variables, "string"), **numbers, "state": "string"}


def rows_of(rows: list[dict[str, Any]], kinds: Mapping[str, str]) -> Any:
    """Rows as a pyarrow Table with these columns.

    Raises:
        SiteError: a value is of another type.
    """
    import pyarrow as pa

    fields = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    with damage():
        return pa.Table.from_pylist(rows, fields)


def facts_of(side: str, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of one side of a place as rows."""

    def row(fact: str, code: str, card: Mapping[str, Any]) -> dict[str, Any]:
        unit = "share" if "share" in card else "people"
        value = card["share"] if unit == "share" else card["count"]
        numbers = {**{name: card[name] for name in NUMBERS[1:]}, "count": value}
        return {"side": side, "fact": fact, "code": code, "unit": unit, **numbers}

    return [
        row("people", "", found["people"]),
        row("women", "", found["women"]),
        *(row("exploitation", card["flag"], card) for card in found["exploitation"]),
        *(
            row("corridor", f"{card['citizenship']}|{card['country_of_exploitation']}", card)
            for card in found["corridors"]
        ),
    ]


def frame(table: Any, facts: Mapping[str, Any], *, arrow: bool) -> Any:
    """A DataFrame where pandas is installed and ``arrow`` is false; whole numbers stay whole.

    Args:
        table: a pyarrow Table.
        facts: kept beside the numbers, as ``attrs["ctdhub"]`` or as metadata of the schema.
    """
    if arrow or find_spec("pandas") is None:
        return table.replace_schema_metadata({"ctdhub": json.dumps(facts, ensure_ascii=False)})
    import pyarrow as pa

    whole = {pa.int64(): import_module("pandas").Int64Dtype()}
    made = table.to_pandas(types_mapper=whole.get)
    made.attrs["ctdhub"] = dict(facts)
    return made
