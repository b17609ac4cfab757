"""Private pages and workbooks: a look at deliveries for the steward, and reports for a contributor.

All are sensitive: they hold exact counts.  They are written below ``work/`` and nowhere else unless
the steward names another place, and never into a site or a release.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.core.errors import error, printable
from ctdhub.core.format import day, isolated, number, share, year
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, formula, said
from ctdhub.core.tables import harmless
from ctdhub.document.document import (
    Bar,
    Bars,
    Block,
    Document,
    Items,
    Meta,
    Notebook,
    Section,
    TextTable,
    Words,
)
from ctdhub.document.spreadsheet import PlainSheet, write_spreadsheet
from ctdhub.hub.contributions import RECORDS, account_of, faults_of
from ctdhub.hub.deliveries import OutOfForce, accounted, own_out_of_force, sent, without
from ctdhub.hub.folder import Agreement, Hub
from ctdhub.hub.private.look import NOT_RECORDED, RejectedCell, SeenContributor, SeenDelivery
from ctdhub.hub.rules import policy
from ctdhub.hub.stages.harmonise import harmonise_file
from ctdhub.hub.steps import Step
from ctdhub.report.brief.make import closing, meta
from ctdhub.report.wording import ranged, state_words
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import AGE, DELIVERIES, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.alarms.alarm import Alarm
from ctdhub.sensitive.mapping.file_account import OUTCOMES, UnknownText
from ctdhub.sensitive.profile import Profile, profile
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import Row
from ctdhub.stats.tables import distribution, flag_group

# --------------------------------------------------------------------------------------------------
# A contributor's own exact profile beside the hub's protected picture.  It counts what the
# contributor sent, less what it told the hub itself: what others send or tell shows nowhere in it.

TOP_CITIZENSHIPS = 10
"""Citizenships that the report lists, those with most of the contributor's own people."""


def own_profile(hub: Hub, contributor: str) -> tuple[Agreement, Profile]:
    """The profile of a contributor's harmonised files, and its agreement.

    Raises:
        DocumentError: no such contributor.
        HubFolderError: its files have not been harmonised, or have changed since.
        WithdrawalError: the contributor withdrew.
    """
    agreement = hub.agreement(contributor, report=True)
    if contributor in hub.withdrawn().contributors:
        raise error("contributor-withdrew", id=contributor)
    rules = policy(hub)
    own = [c for c in hub.contributions() if c.contributor == contributor]
    steps = [harmonise_file(hub, c, rules.years) for c in own]
    if not steps or any(step.reason() is not None for step in steps):
        raise error("not-built", file=hub.root)
    return agreement, _profile(steps, own_out_of_force(hub, sent(hub, steps)[0]))


def _profile(steps: Sequence[Step], out: OutOfForce) -> Profile:
    """The profile of files, without the records that count no more."""
    records = pa.concat_tables([without(pq.read_table(s.output / RECORDS), out.ids) for s in steps])
    rejects = [faults_of(step) for step in steps]
    kept = [accounted(account_of(step), step, out) for step in steps]
    excluded: Counter[str] = Counter()
    for account in kept:
        excluded.update(account["excluded"])
    return profile(
        records, pa.concat_tables(rejects), sum(a["rows_read"] for a in kept), excluded,
        load_schema(),
    )  # fmt: skip


def own_report(
    agreement: Agreement, own: Profile, answers: Answers, made: date, compared: Sequence[str] = ()
) -> Document:
    """The report in the language in force.

    Args:
        own: of the contributor alone.
        compared: what comparing the next release with earlier ones would tell of this contributor.
        answers: of the hub's release, for the pooled shares with their intervals.
        made: the day that stands on it.
    """
    release = answers.release
    head = (_("Answer"), _("People in your records"), _("Your share"), _("The hub's share"))
    sections = [
        *comparing(compared, "own-compared"),
        Section("own-sent", _("What you sent"), (_sent(own), *_refused(own))),
        Section(
            "own-gender",
            _("People in your records compared with the hub’s data"),
            (_compared(own, answers, SEX, head),),
        ),
        Section("own-age", "", (_compared(own, answers, AGE, head),)),
        Section("own-exploitation", "", (_flags(own, answers, "exploitation", head),)),
        Section("own-citizenship", "", (_compared(own, answers, ORIGIN, head, TOP_CITIZENSHIPS),)),
        Section("own-years", _("People in your records, by year"), (_years(own),)),
        Section("own-complete", _("How complete your records are"), (_complete(own, answers),)),
        *closing(answers, Notebook()),
    ]
    return Document(
        meta=_private(meta(release, made)),
        title=agreement.name,
        subtitle=_("Your own records compared with release {version}").format(
            version=release.version
        ),
        lead=(
            _(
                "You sent {rows} rows, which became {records} records of {people} people. These "
                "counts are exact and your own; the hub's shares are protected and have intervals."
            ).format(rows=number(own.rows), records=number(own.records), people=number(own.people)),
        ),
        always=_("Identified cases, not prevalence."),
        sections=tuple(sections),
        most=None,
    )


def leaving_report(name: str, compared: Sequence[str], answers: Answers, made: date) -> Document:
    """What a contributor that left is shown: what comparing releases would tell of it.

    Args:
        name: of the contributor.
        compared: that, in sentences.
        answers: of the hub's last release.
        made: the day that stands on it.
    """
    version = answers.release.version
    return Document(
        meta=_private(meta(answers.release, made)),
        title=name,
        subtitle=_("You are no longer in the data; you were in release {version}").format(
            version=version
        ),
        lead=tuple(compared),
        sections=(),
    )


def _private(around: Meta) -> Meta:
    """What every page carries, and that it is private."""
    private = _(
        "Private, for this contributor only: it holds exact counts of its own records. Do not "
        "publish."
    )
    return replace(around, mark=" ".join(m for m in (private, around.mark) if m))


def _sent(own: Profile) -> TextTable:
    rows = [
        (_("Rows read"), number(own.rows)),
        (_("Records made of them"), number(own.records)),
        (_("People whom these records are about"), number(own.people)),
    ]
    return TextTable(
        title=_("Rows, records and people"),
        subtitle=_("Records are linked by the keys of your own records only."),
        head=(_("What"), _("Number")),
        rows=tuple(rows),
    )


def _refused(own: Profile) -> tuple[TextTable | Words, ...]:
    """Rows that did not become records, by rule."""
    left = [*own.refused.items(), *own.excluded.items()]
    if not left:
        return (Words((_("Every row became a record."),)),)
    return (
        TextTable(
            title=_("Rows that did not become records, by rule"),
            subtitle=_("The list of errors, with rows and columns, is in the hub's work folder."),
            head=(_("Rule"), _("Rows")),
            rows=tuple((rule, number(n)) for rule, n in sorted(left)),
        ),
    )


def _compared(
    own: Profile, answers: Answers, variable: str, head: tuple[str, ...], most: int | None = None
) -> TextTable:
    """Own people and both shares for the values of a variable."""
    pooled = {row.codes[0]: row for row in distribution(answers, variable).rows}
    base, values = own.recorded(variable), own.values[variable]
    codes = [c for c in answers.domain(variable) if most is None or values.get(c)]
    if most is not None:
        codes = sorted(codes, key=lambda c: -values[c])[:most]
    rows = [
        (code_label(variable, code, current()), *_line(values.get(code, 0), base, pooled.get(code)))
        for code in codes
    ]
    title = label(variable, current())
    return TextTable(title, _shares(), head, tuple(rows), _base(base, own.people - base))


def _flags(own: Profile, answers: Answers, group: str, head: tuple[str, ...]) -> TextTable:
    """The same for a group of flags; only people with some flag of it are in the shares."""
    pooled = {row.codes[0]: row for row in flag_group(answers, group).rows}
    schema = load_schema()
    base = own.values[schema.groups[group].indicator or ""].get("yes", 0)
    rows = [
        (label(flag, current()), *_line(own.values[flag].get("yes", 0), base, pooled.get(flag)))
        for flag in schema.flags(group)
    ]
    return TextTable(
        group_label(group, current()), _shares(), head, tuple(rows), _base(base, own.people - base)
    )


def _shares() -> str:
    return _("Shares refer to the people whose answer is recorded.")


def _line(people: int, base: int, pooled: Row | None) -> tuple[str, str, str]:
    hub = state_words("not_measured")
    if pooled is not None and pooled.share is not None:
        hub = ranged(pooled.share)
    return number(people), share(people / base, fine=True) if base else "–", hub


def _base(known: int, unknown: int) -> str:
    return _(
        "Recorded for {known} of the people in your records, not recorded for {unknown}."
    ).format(known=number(known), unknown=number(unknown))


def _years(own: Profile) -> TextTable:
    found = own.values[PERIOD]
    rows = [(year(code), number(found[code])) for code in sorted(c for c in found if c)]
    if unknown := found.get("", 0):
        rows.append((state_words("not_recorded"), number(unknown)))
    return TextTable(
        label(PERIOD, current()), "", (_("Year"), _("People in your records")), tuple(rows)
    )


def _complete(own: Profile, answers: Answers) -> TextTable:
    """Share of people whose answer is recorded, own and pooled, by variable or group of flags."""
    schema, rows = load_schema(), []
    for variable in schema.table("people"):
        if not variable.public or variable.kind == "flag" or variable.name not in own.values:
            continue
        if variable.name not in answers.variables or variable.name == DELIVERIES:
            continue
        known = own.recorded(variable.name)
        missing = distribution(answers, variable.name).missing
        rows.append((label(variable.name, current()), *_filled(own, known, missing)))
    for group, of in schema.groups.items():
        if of.indicator in answers.variables and of.indicator is not None:
            known = own.values[of.indicator].get("yes", 0)
            missing = flag_group(answers, group).missing
            rows.append((group_label(group, current()), *_filled(own, known, missing)))
    return TextTable(
        title=_("People whose answer is recorded"),
        subtitle=_("For a group of yes/no variables: people for whom at least one is yes."),
        head=(_("Question"), _("People in your records"), _("People in the hub's data")),
        rows=tuple(rows),
    )


def _filled(own: Profile, known: int, missing: float | None) -> tuple[str, str]:
    mine = share(known / own.people) if own.people else "–"
    return mine, state_words("not_measured") if missing is None else share(1 - missing)


# --------------------------------------------------------------------------------------------------
# The look as a document in the language in force: for the terminal, a page of HTML, the desk.

MOST = 20
"""Unknown texts that are shown of a delivery; the workbook has all of them."""

TOP_VALUES = 12
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
        meta=private_meta(hub, private, made),
        title=_("A look before you spend"),
        lead=(
            _(
                "These are counts of records as they were read, before people are made and before "
                "any privacy budget is spent."
            ),
        ),
        sections=(*comparing(compared), *(part for one in found for part in _sections(one, texts))),
    )


def comparing(compared: Sequence[str], name: str = "compared") -> tuple[Section, ...]:
    """What comparing releases tells of contributors whose counts are not shown; none for nothing.

    Args:
        compared: sentences.
        name: of the section.
    """
    title = _("What a comparison of releases reveals")
    return (Section(name, title, (Words(tuple(compared)),)),) if compared else ()


def private_meta(hub: str, private: str, made: date) -> Meta:
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
    texts = [*unknown, *_unread(now), *_fault_blocks(now, before)]
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


def _fault_blocks(now: SeenDelivery, before: SeenDelivery | None) -> list[Block]:
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
    shown = ordered if years else ordered[:TOP_VALUES]
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


# --------------------------------------------------------------------------------------------------
# The look as a workbook: every value, text and fault, for a spreadsheet.

LONGEST = 32_000
"""Characters of a cell; a workbook holds 32,767."""

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
WIDTH = 20
"""Of a column, in letters."""

Cells = Sequence[str | int]
Sheet = tuple[str, Sequence[str], Iterable[Cells]]
"""A title, the headings, and rows."""


def workbook(found: Sequence[SeenContributor]) -> bytes:
    """The workbook, in the language in force."""
    deliveries = [(one, d) for one in found for d in (one.now, one.before) if d is not None]
    who = (_("contributor"), _("delivery"))
    return as_workbook(
        [
            (
                _("Alarms"),
                (*who, _("alarm"), _("what"), _("it stops"), _("accepted"), _("reason")),
                _alarms(deliveries),
            ),
            (
                _("Unknown texts"),
                (
                    *who, _("column"), _("text"), _("rows"), _("nearest code"),
                    _("what became of it"),
                ),
                (
                    (one.agreement.id, d.date, u.column, u.text, u.rows, u.nearest,
                     said(OUTCOMES[u.outcome]))
                    for one, d in deliveries
                    for u in d.unknown
                ),
            ),
            (
                _("Values"),
                (*who, _("variable"), _("label"), _("code"), _("value"), _("records")),
                _all_values(deliveries),
            ),
            (
                _("Rejects"),
                (*who, _("rule"), _("column"), _("rows")),
                (
                    (one.agreement.id, d.date, rule, column, n)
                    for one, d in deliveries
                    for (rule, column), n in d.faults.items()
                ),
            ),
            (
                _("Unread columns"),
                (*who, _("column")),
                ((one.agreement.id, d.date, c) for one, d in deliveries for c in d.unread),
            ),
        ]
    )  # fmt: skip


def as_workbook(sheets: Iterable[Sheet]) -> bytes:
    """Sheets of a workbook; a text that a spreadsheet would run as a formula stays a text.

    The bytes depend on the content and the language in force alone.
    """
    plain = [
        PlainSheet(
            title[:31], [WIDTH] * len(head), [head, *([*map(_fitting, row)] for row in rows)]
        )
        for title, head, rows in sheets
    ]
    held = io.BytesIO()
    write_spreadsheet(held, plain, rtl=current() in RIGHT_TO_LEFT)
    return held.getvalue()


def _fitting(cell: str | int) -> str | int:
    """A cell without what a workbook cannot hold: control characters, and more than its length."""
    return str(harmless(CONTROL.sub("·", cell)[:LONGEST])) if isinstance(cell, str) else cell


def _alarms(
    deliveries: list[tuple[SeenContributor, SeenDelivery]],
) -> Iterator[Cells]:
    for one, d in deliveries:
        for a in d.alarms:
            stops = _("the build") if a.stops else _("a charge")
            accepted = _("yes") if a.accepted else _("no")
            yield one.agreement.id, d.date, a.entry, said(a.what()), stops, accepted, a.reason


def _all_values(
    deliveries: list[tuple[SeenContributor, SeenDelivery]],
) -> Iterator[Cells]:
    for one, d in deliveries:
        for variable, counts in d.values.items():
            words = label(variable, current())
            for code, n in counts.items():
                yield (
                    one.agreement.id, d.date, variable, words, code, value_label(variable, code), n
                )  # fmt: skip


# --------------------------------------------------------------------------------------------------
# A contributor's quality report: its own rejected rows, as a page or as a workbook.

MOST_ROWS = 500
"""Rejected rows that the page lists; the workbook has all of them."""


def own_page(
    hub: str,
    one: SeenContributor,
    rows: Sequence[RejectedCell],
    made: date,
    compared: Sequence[str] = (),
) -> Document:
    """The quality report of a contributor's delivery.

    Args:
        hub: name of the hub.
        one: what was seen of it.
        rows: its rejected rows.
        made: the day that stands on it.
        compared: what comparing the next release with earlier ones would tell of this contributor.
    """
    now = one.now
    private = _(
        "Private, for this contributor only: it holds rows of its own file. Do not publish."
    )
    head = (_("Row"), _("Column"), _("Text"), _("Rule"), _("What is wrong"))
    left = len(rows) - MOST_ROWS
    note = _("More rows in the workbook: {n}.").format(n=number(left)) if left > 0 else ""
    listed = tuple(
        (number(r.row), isolated(printable(r.column)) or "–", isolated(printable(r.text)) or "–",
         isolated(r.rule), said(r.reason))
        for r in rows[:MOST_ROWS]
    )  # fmt: skip
    sections = [*comparing(compared), Section("alarms", "", tuple(alarm_table(now.alarms)))]
    if rows:
        title = _("Rows that were rejected")
        subtitle = _("Correct them in your own system, and send the file again.")
        sections.append(
            Section("rows", title, (TextTable(title, subtitle, head, listed, note, words=True),))
        )
    else:
        sections.append(Section("rows", "", (Words((_("No row was rejected."),)),)))
    if now.unknown:
        title = _("Texts that no rule can read")
        columns = (_("Column"), _("Text"), _("Rows"), _("Nearest code"), _("What became of it"))
        told = tuple(map(text_row, now.unknown[:MOST_ROWS]))
        texts = TextTable(title, "", columns, told, words=True)
        sections.append(Section("texts", title, (texts,)))
    return Document(
        meta=private_meta(hub, private, made),
        title=one.agreement.name,
        subtitle=_("Quality report on the delivery of {date}").format(date=isolated(now.date)),
        lead=(
            _(
                "Of {rows} rows, {records} became records and {rejected} were rejected. Every row "
                "in this report is your own."
            ).format(
                rows=number(now.rows), records=number(now.records), rejected=number(now.rejected)
            ),
        ),
        sections=tuple(sections),
    )


def own_workbook(one: SeenContributor, rows: Sequence[RejectedCell]) -> bytes:
    """The same as a workbook: a sheet of rejected rows, with a column for the correction."""
    head = (
        _("file"), _("row"), _("column"), _("text"), _("rule"), _("what is wrong"),
        _("your correction"),
    )  # fmt: skip
    return as_workbook(
        [
            (_("Rejected rows"), head, _lines(rows)),
            (
                _("Unknown texts"),
                (_("column"), _("text"), _("rows"), _("nearest code")),
                ((u.column, u.text, u.rows, u.nearest) for u in one.now.unknown),
            ),
        ]
    )


def _lines(rows: Sequence[RejectedCell]) -> Iterator[Cells]:
    for r in rows:
        yield r.file, r.row, r.column, r.text, r.rule, said(r.reason), ""
