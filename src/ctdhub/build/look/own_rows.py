"""A contributor's own part of the look: its rejected rows, to be corrected and sent back.

It holds rows of this contributor alone, with the texts that were not read.  Columns that the
mapping strips, hashes or keeps as numbers of cases are never read for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ctdhub.build.harmonised import faults_of
from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.core.i18n import Text
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.mapping.identifiers import without_stripped
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.parsers import Header


@dataclass(frozen=True)
class RejectedCell:
    """A fault of a row of the contributor's own file.  Sensitive.

    Attributes:
        file: name of the file.
        row: as a spreadsheet shows it.
        column: "" where the fault concerns the whole row.
        rule, reason: what is wrong.
        text: what the cell holds, "" where no one column is at fault.
    """

    file: str
    row: int
    column: str
    rule: str
    reason: Text
    text: str


def own_rows(hub: Hub, contributor: str, day: str) -> tuple[RejectedCell, ...]:
    """The faults in a contributor's delivery of a day, in the order of its files and rows."""
    rules = policy(hub)
    mapping = load_mapping(mapping_file(hub, contributor, day))
    readable = {c for _place, rule in mapping.uses() for c in rule.columns()}
    found: list[RejectedCell] = []
    for given in hub.contributions():
        if (given.contributor, given.date) != (contributor, day):
            continue
        faults = faults_of(harmonise_file(hub, given, rules.years)).to_pylist()
        if not faults:
            continue
        raw = without_stripped(read_isolated(given.file, mapping.read), mapping)
        header = Header(raw.table.column_names)
        at = {row: place for place, row in enumerate(raw.table["_row"].to_pylist())}
        for fault in faults:
            name = header.find(fault["column"]) if fault["column"] in readable else None
            place = at.get(fault["source_row"])
            text = raw.table[name][place].as_py() if name and place is not None else None
            found.append(
                RejectedCell(
                    given.file.name,
                    fault["source_row"],
                    fault["column"] or "",
                    fault["rule"],
                    reason_of(fault["fields"]),
                    "" if text is None else str(text),
                )
            )
    return tuple(found)
