"""Published numbers for programs that answer people's questions, by the Model Context Protocol;
apart, for its package is an extra.

Every number leaves with its interval, what was not recorded, caveat and citation.  There is no
arithmetic: what was not measured has no answer.  Only published releases are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctdhub.api.release import Count, PublishedRelease, open_hub, open_release, require
from ctdhub.core.errors import error

if TYPE_CHECKING:
    from mcp.server import MCPServer

INSTRUCTIONS = (
    "Numbers of people identified as victims of trafficking, published with provable privacy. "
    "Quote a number only with its interval, what it counts, the years and the citation. "
    "state 'protected' or 'imprecise': quote the interval alone; not shown is not zero. "
    "Never add, subtract, divide or fill in numbers: ask `count` for the people you mean, with "
    "several values of a variable where you mean any of them; what was not measured has no "
    "answer. These are people whom somebody identified, not all victims. "
    "Begin with `about`."
)
MOST_ROWS = 500
"""Rows of a table that a program is given at once."""

Answer = dict[str, Any]


def server(where: Path) -> MCPServer[Any]:
    """The server of a release, or of the newest standing release of a hub.

    Raises:
        ReleaseError: the hub has none, or it was changed.
        HubError: the package mcp is missing (``needs-package``).
    """
    require("mcp")
    from mcp.server import MCPServer

    is_hub = (where / "hub.yaml").is_file()
    tools = Tools(open_hub(where).release() if is_hub else open_release(where))
    made: MCPServer[Any] = MCPServer("ctdhub", instructions=INSTRUCTIONS, log_level="CRITICAL")
    for tool in (tools.about, tools.values, tools.count, tools.table, tools.facts):
        made.add_tool(tool)
    return made


class Tools:
    """What a program may ask; a question that has no answer is refused in words.

    The docstrings of the tools are what the program is told of them.
    """

    def __init__(self, release: PublishedRelease) -> None:
        self._release = release

    def about(self) -> Answer:
        """What this release is: variables, what was counted together, the rules of quoting."""
        release = self._release
        return {
            "version": release.version,
            "contributors": release.contributors,
            "variables": release.variables,
            "counted_together": ["*".join(table) for table in release.measured if len(table) > 1],
            "rules": INSTRUCTIONS,
            **self._quoted_with(),
        }

    def values(self, variable: str) -> dict[str, str]:
        """Codes of a variable and what each means; `count` and `table` take the codes."""
        return self._release.values(variable)

    def count(self, where: Answer | None = None) -> Answer:
        """People who meet all conditions, with their interval; all people without any.

        `where` has by variable one code or a list of codes (any of them), a year as a number,
        true or false, null for "not recorded", or a country or region by name.
        """
        number = _number(self._release.count(where))
        base = _number(self._release.count())
        return {"where": where or {}, **number, "all_people": base, **self._quoted_with()}

    def table(self, variables: list[str], where: Answer | None = None) -> Answer:
        """People by one, two or three variables; every cell has a row, also one not shown."""
        cells = self._release.table(*variables, where=where)
        if len(cells) > MOST_ROWS:
            raise error("table-size", n=len(cells))
        rows = [
            {**dict(zip(variables, row.codes, strict=True)), "kind": row.kind, **_number(row.count)}
            for row in cells.rows
        ]
        return {"where": where or {}, "rows": rows, **self._quoted_with()}

    def facts(
        self, place: str | None = None, first: int | None = None, last: int | None = None
    ) -> Answer:
        """Sentences that may be quoted, of a country, a region or everybody, in a span of years."""
        years = None if first is None and last is None else (first or 0, last or 0)
        return self._release.facts(place, years=years).to_dict()

    def _quoted_with(self) -> Answer:
        release = self._release
        return {
            "years": release.years,
            "level": release.level,
            "fictitious": release.fictitious,
            "caveat": release.caveat,
            "citation": release.citation,
        }


def _number(count: Count) -> Answer:
    return {
        "state": count.state,
        "value": count.value,
        "low": count.low,
        "high": count.high,
        "each_person_once": count.once,
        "not_recorded": count.missing,
    }
