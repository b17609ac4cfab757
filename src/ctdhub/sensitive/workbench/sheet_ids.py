"""Names for the sets of texts that are decided alike, which stay when rules come and go.

A sheet of a rule that looks codes up is named by the rule's place; that of a list, which several
flags share, by its column and the mark between its elements.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.decisions import Sheet
from ctdhub.sensitive.mapping.rule import Place, Rule

_LIST = "list:"


@dataclass(frozen=True)
class ListSheet:
    """A list that flags search.

    Attributes:
        table: ``records`` or ``perpetrators``.
        columns: its source columns.
        split: the mark between its elements.
    """

    table: str
    columns: tuple[str, ...]
    split: str | None

    @property
    def column(self) -> str:
        """The first of its columns."""
        return self.columns[0]

    @property
    def name(self) -> str:
        """What operations call it."""
        inner = json.dumps([*self.columns], ensure_ascii=False)
        return f"{_LIST}{self.table}:{json.dumps(self.split)}:{inner}"

    @classmethod
    def of(cls, name: str) -> ListSheet | None:
        """The list of that name, None where it names a rule.

        Raises:
            HubError: it names nothing (rule "workbench-request").
        """
        if not name.startswith(_LIST):
            return None
        table, _colon, rest = name.removeprefix(_LIST).partition(":")
        try:
            split, end = json.JSONDecoder().raw_decode(rest)
            columns = json.loads(rest[end + 1 :])
        except ValueError:
            raise error("workbench-request") from None
        named = isinstance(columns, list) and columns and all(isinstance(c, str) for c in columns)
        if not named or table not in ("records", "perpetrators"):
            raise error("workbench-request")
        return cls(table, tuple(columns), split if isinstance(split, str) else None)

    def is_of(self, rule: dict[str, Any]) -> bool:
        """Whether a rule, as YAML has it, searches this list, in every row."""
        source = rule.get("from", [])
        columns = source if isinstance(source, list) else [source]
        return (
            "has" in rule
            and not rule.get("when")
            and [*map(fold, columns)] == [*map(fold, self.columns)]
            and rule.get("split") == self.split
        )

    def rule(self) -> dict[str, Any]:
        """A rule that searches it, without texts."""
        source = [*self.columns] if len(self.columns) > 1 else self.column
        return {"from": source} | ({"split": self.split} if self.split else {})


def sheet_name(sheet: Sheet, first: Rule) -> str:
    """What operations call a sheet.

    Args:
        sheet: the sheet.
        first: the first of its rules.
    """
    if not sheet.flags:
        return sheet.key
    place = next(iter(sheet.places.values()))
    table = "perpetrators" if place[0] == "perpetrators" else "records"
    return ListSheet(table, sheet.columns, first.split).name


def sheet_place(name: str) -> Place:
    """Where the rule of a sheet of codes stands in the YAML.

    Raises:
        HubError: it names nothing (rule "workbench-request").
    """
    parts = name.split(".")
    start = 2 if parts[0] == "perpetrators" else 1
    if parts[:start] not in (["columns"], ["perpetrators", "columns"]):
        raise error("workbench-request")
    if len(parts) not in (start + 1, start + 2):
        raise error("workbench-request")
    if len(parts) == start + 2:
        if not parts[-1].isascii() or not parts[-1].isdigit():
            raise error("workbench-request")
        return (*parts[:-1], int(parts[-1]))
    return tuple(parts)
