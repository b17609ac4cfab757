"""From a column of a file to a published number: the way ends at the noisy number."""

from __future__ import annotations

from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.lineage import ColumnSource, column_sources, tables_with
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.format import isolated, listed, number, share
from ctdhub.core.i18n import _, current, said
from ctdhub.desk.worker.answers.page import answered, name, section, table, words
from ctdhub.release.bundle import latest_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.wording import caveat, ranged
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query
from ctdhub.stats.table import NOT_RECORDED

MOST_TABLES, MOST_NUMBERS = 12, 60


def lineages(hub: Hub, contributor: str | None = None) -> dict[str, Any]:
    """The variables that files become, to choose one.

    Args:
        contributor: the only one whose files are shown; all, if None.
    """
    found = column_sources(hub, None, contributor)
    release = _newest(hub)
    measured = set(release.protected.guarantee.sigma) if release else set()
    names: dict[str, set[str]] = {}
    for one in found:
        names.setdefault(one.variable, set()).add(one.contributor)
    order = [v.name for v in load_schema().variables() if v.name in names]
    lead = (
        _("Choose a variable: from the columns it is read from to the numbers published of it.")
        if names
        else _("No file was read yet.")
    )
    given = [
        {
            "name": variable,
            "label": label(variable, current()),
            "contributors": len(names[variable]),
            "measured": any(variable in key.split("*") for key in measured),
        }
        for variable in order
    ]
    return answered(hub, _("Lineage"), (lead,), (), {"variables": given})


def lineage(
    hub: Hub, variable: str, *, columns: bool = True, contributor: str | None = None
) -> dict[str, Any]:
    """The way of one variable.

    Args:
        variable: of the schema.
        columns: whether columns, rules and exact counts of files are shown.
        contributor: the only one whose files are shown; all, if None.

    Raises:
        SchemaError: there is no such variable.
    """
    if variable not in {v.name for v in load_schema().variables()}:
        raise error("lineage-variable", name=printable(variable))
    found = column_sources(hub, variable, contributor)
    called = {one.id: name(one.name) for one in hub.agreements()}
    title = _("Lineage of {variable}").format(variable=label(variable, current()))
    steps = [_from_files(found, called, columns), *_to_numbers(hub, variable)]
    end = _("The way ends at the noisy number: from there no step leads back to a record.")
    return answered(hub, title, (end,), steps, {"name": variable})


def _from_files(found: list[ColumnSource], called: dict[str, str], columns: bool) -> Any:
    title = _("1. Columns of files, and the mapping that reads them")
    if not found:
        return section("files", title, words(_("No file that was read has this variable.")))
    if not columns:
        names = sorted({called.get(one.contributor, name(one.contributor)) for one in found})
        return section("files", title, words(_("Read from files of: {names}").format(
            names=listed(names))))  # fmt: skip
    rows = [
        (
            called.get(one.contributor, name(one.contributor)),
            isolated(one.date),
            listed([name(c) for c in one.columns]) or "–",
            said(one.rule),
            said(one.loss) if one.loss else "–",
            _share(one),
            isolated(one.mapping[:12]),
        )
        for one in found
    ]
    head = (
        _("contributor"), _("delivery"), _("columns"), _("rule"), _("what is lost"),
        _("records with it"), _("mapping"),
    )  # fmt: skip
    note = _("Mapping: the first 12 characters of the SHA-256 of its file.")
    return section("files", title, table("", head, rows, note=note, words=True))


def _share(one: ColumnSource) -> str:
    whole = one.recorded + one.empty
    return f"{number(one.recorded)} ({share(one.recorded / whole)})" if whole else "–"


def _to_numbers(hub: Hub, variable: str) -> list[Any]:
    release, title = _newest(hub), _("2. Tables of the newest release")
    if release is None:
        return [section("tables", title, words(_("Nothing was published yet.")))]
    sigma = release.protected.guarantee.sigma
    tables = tables_with(dict(sigma), variable)
    if not tables:
        text = _("Release {version} measured no table with it.")
        return [section("tables", title, words(text.format(version=isolated(release.version))))]
    rows = [
        (" × ".join(label(n, current()) for n in names), number(sigma["*".join(names)]))
        for names in tables[:MOST_TABLES]
    ]
    note = _("Tables in all: {n}. Noise: its standard deviation, in people.").format(
        n=number(len(tables))
    )
    head = (_("table"), _("noise"))
    parts = [
        section(
            "tables",
            _("2. Tables of release {version}").format(version=isolated(release.version)),
            table("", head, rows, note=note, words=True),
        )
    ]
    if (variable,) in tables:
        parts.append(_numbers(release, variable))
    return parts


def _numbers(release: Release, variable: str) -> Any:
    answers, query = Answers(release), Query(by=(variable,))
    found = answers.table(query, shares=False)
    rows = [
        (
            code_label(variable, row.codes[0], current())
            if row.codes[0] != NOT_RECORDED
            else _("not recorded"),
            ranged(row.people),
        )
        for row in found.rows[:MOST_NUMBERS]
    ]
    note = f"{caveat()} " + _("Intervals of {level}.").format(
        level=share(release.protected.guarantee.level)
    )
    head = (_("value"), _("people"))
    return section(
        "numbers",
        _("3. Published numbers"),
        table("", head, rows, note=note, words=True),
    )


def _newest(hub: Hub) -> Release | None:
    found = latest_release(hub.releases)
    return open_release(found) if found else None
