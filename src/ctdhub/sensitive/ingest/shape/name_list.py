"""Names for ids, such as those of data elements in DHIS2, from a list that a system gives out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.sensitive.ingest import sniff
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.readers import translated
from ctdhub.sensitive.ingest.shape.documents import list_paths, records_at

IDS, NAMES = ("id", "uid"), ("displayName", "name", "label")


def read_names(path: Path) -> dict[str, str]:
    """Ids and names of all objects that have both, in the lists of a JSON document.

    Raises:
        UnreadableFile: it is no JSON, or no object in it has an id and a name (``no-names``).
        HostileFile: the file is too large.
    """
    file = printable(path.name)
    with translated(file):
        data = sniff.load(path, file, Limits())
        try:
            document: Any = json.loads(data)
        except (ValueError, RecursionError):
            raise error("no-names", file=file) from None
    lists = [document] if isinstance(document, list) else []
    lists += [records_at(document, at) or [] for at in list_paths(document)]
    found: dict[str, str] = {}
    for each in (each for members in lists for each in members if isinstance(each, dict)):
        number = next((each[k] for k in IDS if isinstance(each.get(k), str)), None)
        name = next((each[k] for k in NAMES if isinstance(each.get(k), str)), None)
        if number and name and name.strip():
            found[number] = name.strip()
    if not found:
        raise error("no-names", file=file)
    return found


def used(names: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    """The names of those ids that columns end in, or are.

    >>> used({"dA": "Age", "dB": "Sex"}, ["events.dataValues.dA", "event"])
    {'dA': 'Age'}
    """
    ends = {column.rpartition(".")[2] for column in columns}
    return {number: name for number, name in names.items() if number in ends}
