"""The look, drift and coverage: exact counts of what the hub holds, as the last build read it."""

from __future__ import annotations

from typing import Any

from ctdhub.build.filenames import RECORDS
from ctdhub.build.hub import Hub
from ctdhub.build.look.drift import MovedVariable, moved, people_by_year, since_release
from ctdhub.build.look.own_rows import own_rows
from ctdhub.build.look.seen import SeenContributor, look, unread_files
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.stages.differencing import told_of
from ctdhub.build.steps import hash_file
from ctdhub.cli.look_page import alarm_table, page, value_label
from ctdhub.core.errors import printable
from ctdhub.core.format import isolated, number, share, signed, year
from ctdhub.core.i18n import _, current, formula, ngettext, said
from ctdhub.desk.worker.answers.page import answered, name, section, table, today, words
from ctdhub.document.as_json import to_json
from ctdhub.document.document import Bar, Bars, Section
from ctdhub.report.wording import state_words
from ctdhub.schema.labels import label

MOST_MOVED = 12
"""Variables that are listed of a delivery on the page of drift."""


def looks(hub: Hub) -> dict[str, Any]:
    """Every contributor's newest delivery with its alarms, and what was not read yet."""
    stale = unread_files(hub)
    if not _was_read(hub):
        return answered(hub, _("Look"), (_unread(stale),), (), {"deliveries": [], "stale": stale})
    found = look(hub, read=False)
    rows, given = [], []
    for one in found:
        open_ = [alarm for alarm in one.now.alarms if not alarm.accepted]
        rows.append(
            (
                name(one.agreement.name),
                isolated(one.now.date),
                number(one.now.rows),
                number(one.now.rejected),
                number(one.now.people.people) if one.now.people else "–",
                number(len(open_)),
            )
        )
        given.append(
            {
                "id": one.agreement.id,
                "name": printable(one.agreement.name),
                "date": one.now.date,
                "open": len(open_),
            }
        )
    head = (
        _("contributor"), _("delivery"), _("rows"), _("rejected"), _("people"), _("open alarms"),
    )  # fmt: skip
    alarms = [alarm for one in found for alarm in one.now.alarms]
    return answered(
        hub,
        _("Look"),
        (_unread(stale) if stale else _("All files were read as they are now."),),
        (
            section("newest", _("Newest deliveries"), table("", head, rows)),
            section("alarms", "", *alarm_table(alarms)),
        ),
        {"deliveries": given, "stale": stale},
    )


def look_at(hub: Hub, contributor: str, date: str | None, *, texts: bool) -> dict[str, Any]:
    """One delivery beside the one before.

    Args:
        date: of the delivery, the newest if None.
        texts: whether texts of case records are shown.

    Raises:
        DocumentError: no such contributor, or no such delivery that was read.
    """
    (one,) = look(hub, contributor, date, read=False)
    compared = [said(told.words) for told in told_of(hub) if told.id == contributor]
    document = page(hub.settings.name, [one], today(), compared, texts=texts)
    base = mapping_file(hub, contributor, one.now.date)
    return {
        "document": to_json(document),
        "given": {
            "id": contributor,
            "name": printable(one.agreement.name),
            "date": one.now.date,
            "before": one.before.date if one.before else "",
            "dates": sorted({c.date for c in hub.contributions() if c.contributor == contributor}),
            "mapping": hash_file(base),
            "alarms": [
                {
                    "entry": alarm.entry,
                    "what": alarm.what().as_json(),
                    "stops": alarm.stops,
                    "accepted": alarm.accepted,
                }
                for alarm in one.now.alarms
            ],
            "stale": unread_files(hub),
        },
    }


def rejects(hub: Hub, contributor: str, date: str) -> dict[str, Any]:
    """The rejected rows of a delivery, with the text of each cell that could not be read.

    Raises:
        DocumentError: no such contributor, or no such delivery that was read.
    """
    (one,) = look(hub, contributor, date, read=False)
    found = own_rows(hub, contributor, one.now.date)
    rows = [
        (number(cell.row), _text(cell.column), said(cell.reason), _text(cell.text))
        for cell in found
    ]
    head = (_("row"), _("column"), _("reason"), _("text"))
    lead = _("{rejected} of {rows} rows were rejected.").format(
        rejected=number(one.now.rejected), rows=number(one.now.rows)
    )
    return answered(
        hub,
        _("Rejected rows of {name}, delivery of {date}").format(
            name=name(one.agreement.name), date=isolated(one.now.date)
        ),
        (lead,),
        (section("rejects", "", table("", head, rows, words=True) if rows else None),),
        {"id": contributor, "date": one.now.date, "rejected": one.now.rejected},
    )


def _text(value: str) -> str:
    return name(value) if value else "–"


def drift(hub: Hub) -> dict[str, Any]:
    """How newest deliveries differ from those before, and people from the last release."""
    if not _was_read(hub):
        return answered(hub, _("Drift"), (_unread(unread_files(hub)),), (), {"stale": 1})
    found = look(hub, read=False)
    parts = [_since(hub), *(_moved(one) for one in found)]
    return answered(
        hub,
        _("Drift"),
        (
            _(
                "What changed between deliveries may be a change in the world, in a form or in a "
                "mapping. Look at the largest changes before you build."
            ),
        ),
        parts,
        {"stale": unread_files(hub)},
    )


def _moved(one: SeenContributor) -> Section:
    title = _("{name}: delivery of {date}").format(
        name=name(one.agreement.name), date=isolated(one.now.date)
    )
    if one.before is None:
        return section(f"drift-{one.agreement.id}", title, words(_("This is the first delivery.")))
    rows = [_moved_row(each) for each in moved(one)[:MOST_MOVED]]
    head = (
        _("variable"), _("values that differ"),
        _("recorded, {date}").format(date=isolated(one.now.date)),
        _("recorded, {date}").format(date=isolated(one.before.date)),
        _("difference, percentage points"),
    )  # fmt: skip
    note = _(
        "Values that differ: the share of records that would have to take another value for both "
        "deliveries to have the same shares. The {n} variables that changed most are listed."
    ).format(n=number(len(rows)))
    return section(f"drift-{one.agreement.id}", title, table("", head, rows, note=note))


def _moved_row(each: MovedVariable) -> tuple[str, ...]:
    return (
        label(each.variable, current()),
        share(each.distance, fine=True) if each.distance is not None else "–",
        _part(each.now, each.of),
        _part(each.was, each.was_of),
        signed(-100 * each.fell),
    )


def _part(n: int, of: int) -> str:
    if not of:
        return number(n)
    return formula(_("{n} ({share})").format(n=number(n), share=share(n / of)))


def _since(hub: Hub) -> Section:
    title = _("People compared with the last release")
    found = since_release(hub)
    if found is None:
        return section("since", title, words(_("Nothing was published yet.")))
    if not found.compared:
        return section("since", title, words(_("People were not linked yet.")))
    said_ = ngettext(
        "{n} of {of} values is outside the interval that release {version} gives.",
        "{n} of {of} values are outside the interval that release {version} gives.",
        len(found.outside),
    ).format(
        n=number(len(found.outside)), of=number(found.compared), version=isolated(found.version)
    )
    rows = [
        (
            label(one.variable, current()),
            value_label(one.variable, one.code),
            number(one.people),
            number(one.low),
            number(one.high),
        )
        for one in found.outside
    ]
    head = (
        _("variable"), _("value"), _("people today"), _("lower bound"), _("upper bound"),
    )  # fmt: skip
    note = _(
        "People today are exact and for this page alone. Some values are outside by chance: of the "
        "intervals, about one in twenty does not hold the true number."
    )
    return section("since", title, words(said_), table("", head, rows, note=note) if rows else None)


def coverage(hub: Hub) -> dict[str, Any]:
    """People by contributor and year, as the last build linked them."""
    found = people_by_year(hub)
    agreed = {one.id: one for one in hub.agreements()}
    called = {id_: name(one.name) for id_, one in agreed.items()}
    silent = [called[id_] for id_ in called if id_ not in found]
    if not found:
        return answered(hub, _("Coverage"), (_("People were not linked yet."),), (), {"stale": 1})
    years = sorted({y for own in found.values() for y in own if y is not None})
    charts = []
    for id_, own in sorted(found.items()):
        top, span = max(own.values()), agreed[id_].years if id_ in agreed else None
        bars = [
            Bar(year(y), state_words("nobody_reports"))
            if span and not span[0] <= y <= span[1] and y not in own
            else _bar(year(y), own.get(y, 0))
            for y in years
        ]
        if None in own:
            bars.append(_bar(_("not recorded"), own[None], missing=own[None] > top / 2))
        total = _("People: {n}").format(n=number(sum(own.values())))
        charts.append(Bars(called.get(id_, name(id_)), total, tuple(bars)))
    lead = _("People by contributor and year: exact, for this page alone.")
    extra = _("Nobody was counted for: {names}").format(names="; ".join(silent)) if silent else ""
    return answered(
        hub,
        _("Coverage"),
        (lead, extra) if extra else (lead,),
        (section("coverage", "", *charts),),
        {"stale": 0},
    )


def _bar(label_: str, n: int, *, missing: bool = False) -> Bar:
    return Bar(label_, number(n), float(n), float(n), float(n), missing)


def unread(hub: Hub) -> int:
    """Files that were not read since they, their mapping or the program changed."""
    return unread_files(hub) if _was_read(hub) or hub.contributions() else 0


def _was_read(hub: Hub) -> bool:
    return any((hub.work / "harmonised").glob(f"[!.]*/*/*/{RECORDS}"))


def _unread(stale: int) -> str:
    return ngettext(
        "{n} file was not read since it, its mapping or the program changed.",
        "{n} files were not read since they, their mapping or the program changed.",
        stale,
    ).format(n=number(stale))
