"""The look as a document in the language in force: for the terminal, a page of HTML, the desk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ctdhub.build.look import NOT_RECORDED, SeenContributor, SeenDelivery
from ctdhub.core.errors import printable
from ctdhub.core.format import day, isolated, number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula, said
from ctdhub.document.document import (
    Bar,
    Bars,
    Block,
    Document,
    Items,
    Meta,
    Section,
    TextTable,
    Words,
)
from ctdhub.report.wording import state_words
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.alarms.alarm import Alarm
from ctdhub.sensitive.mapping.texts import OUTCOMES, UnknownText

MOST = 20
"""Unknown texts that are shown of a delivery; the workbook has all of them."""

TOP = 12
"""Values that are shown of a variable, those of most records first; of years, all."""


def page(
    hub: str,
    found: Sequence[SeenContributor],
    made: date,
    compared: Sequence[str] = (),
    *,
    texts: bool = True,
) -> Document:
    """The document.

    Args:
        hub: its name.
        found: what there is to see.
        made: the day that stands on it.
        compared: what comparing the next release with earlier ones would tell of contributors.
        texts: whether texts of case records are shown; without them the page holds counts alone.
    """
    private = _("Private, for the steward of this hub: exact counts of records. Do not publish.")
    return Document(
        meta=meta(hub, private, made),
        title=_("A look before you spend"),
        lead=(
            _(
                "These are counts of records as they were read, before people are made and before "
                "any privacy budget is spent."
            ),
        ),
        sections=(*comparing(compared), *(part for one in found for part in _sections(one, texts))),
    )


def comparing(compared: Sequence[str]) -> tuple[Section, ...]:
    """What comparing releases tells of contributors whose counts are not shown; none for nothing.

    Args:
        compared: sentences.
    """
    title = _("What a comparison of releases reveals")
    return (Section("compared", title, (Words(tuple(compared)),)),) if compared else ()


def meta(hub: str, private: str, made: date) -> Meta:
    """What a private page of this kind carries."""
    return Meta(
        lang=current(),
        rtl=current() in RIGHT_TO_LEFT,
        organisation=hub,
        mark=private,
        foot="",
        made=made,
        day=_("Made on {day}.").format(day=day(made)),
    )


def _sections(one: SeenContributor, shown: bool) -> Iterator[Section]:
    now, before, name = one.now, one.before, one.agreement.id
    title = _("{name}: delivery of {date}").format(
        name=isolated(printable(one.agreement.name)), date=isolated(now.date)
    )
    against = (
        _("Compared with the delivery of {date}.").format(date=isolated(before.date))
        if before
        else _("This is the first delivery.")
    )
    first = (Words((against,)), _rows(now, before), *alarm_table(now.alarms))
    yield Section(name, title, first, across=True)
    unknown = _unknown(now) if shown else _unknown_counts(now)
    texts = [*unknown, *_unread(now), *_faults(now, before)]
    if texts:
        yield Section(f"{name}-texts", _("What was not read"), tuple(texts))
    yield Section(f"{name}-recorded", _("What is recorded"), (_recorded(now, before),))
    schema = load_schema()
    flags = [v for v in now.values if schema.variable(v).kind == "flag"]
    values: list[Block] = [_values(now, before, v) for v in now.values if v not in flags]
    if flags:
        values.append(_yes(now, before, flags))
    if values:
        yield Section(f"{name}-values", _("Values"), tuple(values))


def _rows(now: SeenDelivery, before: SeenDelivery | None) -> TextTable:
    """Rows, records and people."""

    def line(words: str, of: str) -> tuple[str, ...]:
        return (words, *(number(getattr(d, of)) for d in (now, before) if d))

    rows = [line(_("Rows read"), "rows"), line(_("Records made of them"), "records")]
    rows.append(line(_("Rows rejected"), "rejected"))
    for rule in sorted({*now.excluded, *(before.excluded if before else ())}):
        counts = (number(d.excluded.get(rule, 0)) for d in (now, before) if d)
        rows.append((_("excluded by {rule}").format(rule=isolated(rule)), *counts))
    for words, of in (
        (_("People whom these records are about"), "people"),
        (_("People changed by this delivery"), "changed"),
        (_("People who left with this delivery"), "left"),
        (_("New people"), "new"),
        (_("Person keys that contradict"), "shared"),
    ):
        known = [d.people for d in (now, before) if d]
        if any(known):
            rows.append((words, *(number(getattr(p, of)) if p else "–" for p in known)))
    return TextTable(
        title=_("Rows, records and people"),
        subtitle=_("People were counted when records were last linked.") if now.people else "",
        head=(_("What"), *(isolated(d.date) for d in (now, before) if d)),
        rows=tuple(rows),
    )


def alarm_table(alarms: Sequence[Alarm]) -> list[TextTable | Words]:
    """Open alarms, then accepted ones with the reason."""
    if not alarms:
        return [Words((_("This delivery raises no alarm."),), _("Alarms"))]
    ordered = sorted(alarms, key=lambda a: (a.accepted, not a.stops))
    rows = [(said(a.what()), isolated(printable(a.entry)), _state(a)) for a in ordered]
    head = (_("What was found"), _("Alarm"), _("State"))
    return [TextTable(_("Alarms"), "", head, tuple(rows), words=True)]


def _state(alarm: Alarm) -> str:
    if alarm.accepted:
        reason = printable(alarm.reason)
        return _("accepted: {reason}").format(reason=reason) if reason else _("accepted")
    return _("open: it stops the build") if alarm.stops else _("open: it stops a charge")


def _unknown(now: SeenDelivery) -> list[Block]:
    if not now.unknown:
        return []
    most = sorted(now.unknown, key=lambda u: -u.rows)[:MOST]
    left = len(now.unknown) - len(most)
    note = _("More texts in the workbook: {n}.").format(n=number(left)) if left else ""
    head = (_("Column"), _("Text"), _("Rows"), _("Nearest code"), _("What became of it"))
    title = _("Texts that no rule can read")
    return [TextTable(title, "", head, tuple(map(text_row, most)), note, words=True)]


def _unknown_counts(now: SeenDelivery) -> list[Block]:
    """How many texts no rule can read, by column, for who may not see the texts."""
    if not now.unknown:
        return []
    found: dict[str, list[int]] = {}
    for text in now.unknown:
        found.setdefault(text.column, []).append(text.rows)
    rows = [
        (isolated(printable(column)), number(len(each)), number(sum(each)))
        for column, each in sorted(found.items(), key=lambda item: -sum(item[1]))
    ]
    head = (_("Column"), _("Texts"), _("Rows"))
    return [TextTable(_("Texts that no rule can read"), "", head, tuple(rows))]


def text_row(one: UnknownText) -> tuple[str, ...]:
    """An unknown text as a row of a table."""
    column, text = isolated(printable(one.column)), isolated(printable(one.text))
    return column, text, number(one.rows), one.nearest or "–", said(OUTCOMES[one.outcome])


def _unread(now: SeenDelivery) -> list[Block]:
    if not now.unread:
        return []
    names = tuple(isolated(printable(name)) for name in now.unread)
    title = _("Columns that no rule reads and of which the mapping says nothing")
    return [Words((), title), Items(names)]


def _faults(now: SeenDelivery, before: SeenDelivery | None) -> list[Block]:
    if not now.faults:
        return []
    rows = [
        (
            isolated(rule),
            isolated(printable(column)) or "–",
            *(number(d.faults.get((rule, column), 0)) for d in (now, before) if d),
        )
        for (rule, column), _n in sorted(now.faults.items(), key=lambda item: -item[1])
    ]
    head = (_("Rule"), _("Column"), *(isolated(d.date) for d in (now, before) if d))
    return [TextTable(_("Rejected rows by rule and column"), "", head, tuple(rows))]


def _recorded(now: SeenDelivery, before: SeenDelivery | None) -> TextTable:
    rows = [
        (label(name, current()), *(_part(d.recorded(name), d.records) for d in (now, before) if d))
        for name in now.values
    ]
    return TextTable(
        title=_("Records in which a variable is recorded"),
        subtitle="",
        head=(_("Variable"), *(isolated(d.date) for d in (now, before) if d)),
        rows=tuple(rows),
    )


def _yes(now: SeenDelivery, before: SeenDelivery | None, flags: Sequence[str]) -> TextTable:
    """How often each flag is yes, among the records in which it is recorded."""
    rows = [
        (
            label(flag, current()),
            *(_part(_count(d, flag, "yes"), d.recorded(flag)) for d in (now, before) if d),
        )
        for flag in flags
    ]
    head = (_("Variable"), *(isolated(d.date) for d in (now, before) if d))
    title = _("Yes, among the records in which it is recorded")
    return TextTable(title, "", head, tuple(rows))


def _count(delivery: SeenDelivery, variable: str, code: str) -> int:
    return delivery.values.get(variable, {}).get(code, 0)


def _values(now: SeenDelivery, before: SeenDelivery | None, variable: str) -> Bars:
    """The values of a variable, each with its share of those that are recorded."""
    counts, base = now.values[variable], now.recorded(variable)
    known = [code for code in counts if code != NOT_RECORDED]
    gone = [c for c in (before.values.get(variable, {}) if before else {}) if c and c not in counts]
    years = load_schema().variable(variable).kind == "year"
    ordered = sorted([*known, *gone], key=lambda c: c if years else (-counts.get(c, 0), c))
    shown = ordered if years else ordered[:TOP]
    bars = [_bar(variable, code, now, before) for code in shown]
    left = len(ordered) - len(shown)
    note = _("More values in the workbook: {n}.").format(n=number(left)) if left else ""
    subtitle = _("Recorded in {n} of {of} records.").format(n=number(base), of=number(now.records))
    return Bars(label(variable, current()), subtitle, tuple(bars), note)


def _bar(variable: str, code: str, now: SeenDelivery, before: SeenDelivery | None) -> Bar:
    n, base = _count(now, variable, code), now.recorded(variable)
    text = _part(n, base)
    if before is not None:
        was = _count(before, variable, code)
        text = _("{now}; before: {before}").format(
            now=text, before=_part(was, before.recorded(variable))
        )
    size = n / base if base else 0.0
    return Bar(value_label(variable, code), text, size, size, size)


def value_label(variable: str, code: str) -> str:
    """A value in words; "not recorded" for none."""
    if code == NOT_RECORDED:
        return state_words("not_recorded")
    return code_label(variable, code, current())


def _part(n: int, of: int) -> str:
    if not of:
        return number(n)
    return formula(_("{n} ({share})").format(n=number(n), share=share(n / of)))
