"""The code behind a chart: the exact call that gives its numbers, in Python, R, curl and SQL.

A chart whose numbers are cells of one measured table names that table; any other, such as one of
sums for a region, names its own file, which holds what the chart shows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ctdhub.report.figures import Figure

LARGEST = 2
"""Variables of a table that has a file of its own in the interface for programs."""


@dataclass(frozen=True)
class Snippet:
    """A few lines of one language: its name, and the lines."""

    language: str
    text: str


def snippets(figure: Figure, site: str, version: str) -> tuple[Snippet, ...]:
    """The calls for a figure.

    Args:
        site: public address of the site, with a slash at its end.
        version: of the release.
    """
    folder = f"{site}r/{version}"
    if not figure.measured:
        return _of_file(figure, f"{folder}/charts/{figure.file}.csv")
    names = figure.measured.split("*")
    only = {name: next(iter(codes)) for name, codes in figure.where.items()}
    return (
        Snippet("Python", _python(names, only, site, version)),
        Snippet("R", _r(names, only, folder)),
        Snippet("curl", _curl(names, folder)),
        Snippet("SQL (DuckDB)", _sql(names, only, folder)),
    )


def _python(names: Sequence[str], only: dict[str, str], site: str, version: str) -> str:
    lines = [
        "from ctdhub import open_site",
        "",
        f"site = open_site({_quoted(site)}, {_quoted(version)})",
        f"table = site.table({', '.join(map(_quoted, names))})",
    ]
    lines += [f"table = table[table[{_quoted(n)}] == {_quoted(c)}]" for n, c in only.items()]
    return "\n".join((*lines, "print(table)"))


def _r(names: Sequence[str], only: dict[str, str], folder: str) -> str:
    if len(names) > LARGEST:
        lines = [
            f"counts <- arrow::read_parquet({_quoted(f'{folder}/counts.parquet')})",
            f"wanted <- c({', '.join(map(_quoted, names))})",
            "rows <- counts[sapply(counts$columns, identical, wanted), ]",
        ]
        lines += [
            f"rows <- rows[sapply(rows$values, `[`, {1 + list(names).index(name)}) == "
            f"{_quoted(code)}, ]"
            for name, code in only.items()
        ]
    else:
        file = _quoted(f"{folder}/api/tables/{'-'.join(names)}.csv")
        lines = [f"rows <- read.csv({file}, colClasses = c({_text_columns(names)}))"]
        lines += [f"rows <- rows[rows${n} == {_quoted(c)}, ]" for n, c in only.items()]
    return "\n".join((*lines, "print(rows)"))


def _text_columns(names: Sequence[str]) -> str:
    """Codes are text: "9-17" is no date and "2015" no number."""
    return ", ".join(f'{name} = "character"' for name in names)


def _curl(names: Sequence[str], folder: str) -> str:
    if len(names) > LARGEST:
        return f"curl -O {_quoted(f'{folder}/counts.parquet')}"
    return f"curl {_quoted(f'{folder}/api/tables/' + '-'.join(names) + '.csv')}"


def _sql(names: Sequence[str], only: dict[str, str], folder: str) -> str:
    columns = ", ".join(f'"values"[{k}] AS {name}' for k, name in enumerate(names, 1))
    wanted = ", ".join(f"'{name}'" for name in names)
    text = (
        f"SELECT {columns}, count, low, high, state\nFROM '{folder}/counts.parquet'\n"
        f"WHERE columns = [{wanted}]"
    )
    for name, code in only.items():
        text += f"\n  AND \"values\"[{1 + list(names).index(name)}] = '{code}'"
    return f"{text};"


def _of_file(figure: Figure, address: str) -> tuple[Snippet, ...]:
    """Calls that read the file of a figure, and of its figures this one where it holds several."""
    several = figure.id != figure.file and figure.file.startswith("places/")
    one = _quoted(figure.id)
    python = f"import pandas\n\nrows = pandas.read_csv({_quoted(address)}, keep_default_na=False)"
    r = f"rows <- read.csv({_quoted(address)})"
    sql = f"SELECT * FROM read_csv('{address}', all_varchar = true)"
    if several:
        python += f'\nrows = rows[rows["figure"] == {one}]'
        r += f"\nrows <- rows[rows$figure == {one}, ]"
        sql += f"\nWHERE figure = '{figure.id}'"
    return (
        Snippet("Python", f"{python}\nprint(rows)"),
        Snippet("R", f"{r}\nprint(rows)"),
        Snippet("curl", f"curl {_quoted(address)}"),
        Snippet("SQL (DuckDB)", f"{sql};"),
    )


def _quoted(text: str) -> str:
    return json.dumps(text)
