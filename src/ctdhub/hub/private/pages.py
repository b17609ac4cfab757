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
    Section,
    TextTable,
    Words,
)
from ctdhub.document.spreadsheet import PlainSheet, write_spreadsheet
from ctdhub.hub.contributions import RECORDS, account_of, faults_of
from ctdhub.hub.deliveries import accounted, own_out_of_force, sent, without
from ctdhub.hub.find_person import file_steps
from ctdhub.hub.folder import Agreement, Hub
from ctdhub.hub.private.look import NOT_RECORDED, RejectedCell, SeenContributor, SeenDelivery
from ctdhub.report.brief.make import closing, meta
from ctdhub.report.brief.sections import Notebook
from ctdhub.report.wording import ranged, state_words
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import AGE, DELIVERIES, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.alarms.checks import Alarm
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
    steps = file_steps(hub, contributor)
    if not steps or any(step.reason() is not None for step in steps):
        raise error("not-built", file=hub.root)
    out = own_out_of_force(hub, sent(hub, steps)[0])
    records = pa.concat_tables([without(pq.read_table(s.output / RECORDS), out.ids) for s in steps])
    rejects = pa.concat_tables(map(faults_of, steps))
    kept = [accounted(account_of(step), step, out) for step in steps]
    excluded: Counter[str] = Counter()
    for account in kept:
        excluded.update(account["excluded"])
    rows = sum(account["rows_read"] for account in kept)
    return agreement, profile(records, rejects, rows, excluded, load_schema())


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
    sections = [
        *comparing(compared, "own-compared"),
        Section("own-sent", _("What you sent"), (_sent(own), *_refused(own))),
        Section(
            "own-gender",
            _("People in your records compared with the hub’s data"),
            (_compared(own, answers, SEX),),
        ),
        Section("own-age", "", (_compared(own, answers, AGE),)),
        Section("own-exploitation", "", (_flags(own, answers, "exploitation"),)),
        Section("own-citizenship", "", (_compared(own, answers, ORIGIN, TOP_CITIZENSHIPS),)),
        Section("own-years", _("People in your records, by year"), (_years(own),)),
        Section("own-complete", _("How complete your records are"), (_complete(own, answers),)),
        *closing(answers, Notebook()),
    ]
    about = _("Your own records compared with release {version}")
    lead = _(
        "You sent {rows} rows, which became {records} records of {people} people. These "
        "counts are exact and your own; the hub's shares are protected and have intervals."
    )
    return Document(
        meta=_private(meta(release, made)),
        title=agreement.name,
        subtitle=about.format(version=release.version),
        lead=(
            lead.format(
                rows=number(own.rows), records=number(own.records), people=number(own.people)
            ),
        ),
        always=_("Identified people, not prevalence."),
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
    subtitle = _("You are no longer in the data; you were in release {version}")
    return Document(
        meta=_private(meta(answers.release, made)),
        title=name,
        subtitle=subtitle.format(version=answers.release.version),
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
    rows = (
        (_("Rows read"), number(own.rows)),
        (_("Records made of them"), number(own.records)),
        (_("People whom these records are about"), number(own.people)),
    )
    subtitle = _("Records are linked by the keys of your own records only.")
    head = (_("What"), _("Number"))
    return TextTable(_("Rows, records and people"), subtitle, head, rows)


def _refused(own: Profile) -> tuple[TextTable | Words, ...]:
    """Rows that did not become records, by rule."""
    left = [*own.refused.items(), *own.excluded.items()]
    if not left:
        return (Words((_("Every row became a record."),)),)
    title = _("Rows that did not become records, by rule")
    subtitle = _("The list of errors, with rows and columns, is in the hub's work folder.")
    rows = tuple((rule, number(n)) for rule, n in sorted(left))
    return (TextTable(title, subtitle, (_("Rule"), _("Rows")), rows),)


def _compared(own: Profile, answers: Answers, variable: str, most: int | None = None) -> TextTable:
    """Own people and both shares for the values of a variable."""
    pooled = {row.codes[0]: row for row in distribution(answers, variable).rows}
    values = own.values[variable]
    codes = [c for c in answers.domain(variable) if most is None or values.get(c)]
    if most is not None:
        codes = sorted(codes, key=lambda c: -values[c])[:most]
    language = current()
    lines = [(code_label(variable, c, language), values.get(c, 0), pooled.get(c)) for c in codes]
    return _shares(own, label(variable, language), own.recorded(variable), lines)


def _flags(own: Profile, answers: Answers, group: str) -> TextTable:
    """The same for a group of flags; only people with some flag of it are in the shares."""
    pooled = {row.codes[0]: row for row in flag_group(answers, group).rows}
    schema, language = load_schema(), current()
    lines = [
        (label(flag, language), own.values[flag].get("yes", 0), pooled.get(flag))
        for flag in schema.flags(group)
    ]
    base = own.values[schema.groups[group].indicator or ""].get("yes", 0)
    return _shares(own, group_label(group, language), base, lines)


def _shares(
    own: Profile, title: str, base: int, lines: Iterable[tuple[str, int, Row | None]]
) -> TextTable:
    """Own people among those whose answer is recorded, and the hub's share, answer by answer."""
    rows = []
    for words, people, pooled in lines:
        hub = state_words("not_measured")
        if pooled is not None and pooled.share is not None:
            hub = ranged(pooled.share)
        rows.append((words, number(people), share(people / base, fine=True) if base else "–", hub))
    head = (_("Answer"), _("People in your records"), _("Your share"), _("The hub's share"))
    subtitle = _("Shares refer to the people whose answer is recorded.")
    note = _("Recorded for {known} of the people in your records, not recorded for {unknown}.")
    note = note.format(known=number(base), unknown=number(own.people - base))
    return TextTable(title, subtitle, head, tuple(rows), note)


def _years(own: Profile) -> TextTable:
    counts = own.values[PERIOD]
    rows = [(year(code), number(counts[code])) for code in sorted(c for c in counts if c)]
    if unknown := counts.get("", 0):
        rows.append((state_words("not_recorded"), number(unknown)))
    head = (_("Year"), _("People in your records"))
    return TextTable(label(PERIOD, current()), "", head, tuple(rows))


def _complete(own: Profile, answers: Answers) -> TextTable:
    """Share of people whose answer is recorded, own and pooled, by variable or group of flags."""
    schema, language = load_schema(), current()
    asked: list[tuple[str, int, float | None]] = []
    for one in schema.table("people"):
        name, known = one.name, one.name in own.values and one.name in answers.variables
        if one.public and one.kind != "flag" and known and name != DELIVERIES:
            missing = distribution(answers, name).missing
            asked.append((label(name, language), own.recorded(name), missing))
    for group, of in schema.groups.items():
        if of.indicator is not None and of.indicator in answers.variables:
            yes = own.values[of.indicator].get("yes", 0)
            asked.append((group_label(group, language), yes, flag_group(answers, group).missing))
    rows = tuple(
        (
            words,
            share(n / own.people) if own.people else "–",
            state_words("not_measured") if missing is None else share(1 - missing),
        )
        for words, n, missing in asked
    )
    subtitle = _("For a group of yes/no variables: people for whom at least one is yes.")
    head = (_("Question"), _("People in your records"), _("People in the hub's data"))
    return TextTable(_("People whose answer is recorded"), subtitle, head, rows)


# --------------------------------------------------------------------------------------------------
# The look as a document in the language in force: for the terminal, a page of HTML, the desk.

MOST = 20
"""Unknown texts that are shown of a delivery; the workbook has all of them."""

TOP_VALUES = 12
"""Values that are shown of a variable, those of most records first; of years, all."""


def page(
    hub: str,
    views: Sequence[SeenContributor],
    made: date,
    compared: Sequence[str] = (),
    *,
    texts: bool = True,
) -> Document:
    """The document.

    Args:
        hub: its name.
        views: what there is to see.
        made: the day that stands on it.
        compared: what comparing the next release with earlier ones would tell of contributors.
        texts: whether texts of case records are shown; without them the page holds counts alone.
    """
    private = _("Private, for the steward of this hub: exact counts of records. Do not publish.")
    lead = _(
        "These are counts of records as they were read, before people are made and before "
        "any privacy budget is spent."
    )
    return Document(
        meta=_private_meta(hub, private, made),
        title=_("A look before you spend"),
        lead=(lead,),
        sections=(*comparing(compared), *(part for one in views for part in _sections(one, texts))),
    )


def comparing(compared: Sequence[str], name: str = "compared") -> tuple[Section, ...]:
    """What comparing releases tells of contributors whose counts are not shown; none for nothing.

    Args:
        compared: sentences.
        name: of the section.
    """
    title = _("What a comparison of releases reveals")
    return (Section(name, title, (Words(tuple(compared)),)),) if compared else ()


def _private_meta(hub: str, private: str, made: date) -> Meta:
    """What a private page of this kind carries."""
    language, made_on = current(), _("Made on {day}.").format(day=day(made))
    return Meta(language, language in RIGHT_TO_LEFT, hub, private, made=made, day=made_on)


def _sections(one: SeenContributor, shown: bool) -> Iterator[Section]:
    now, name, schema = one.now, one.agreement.id, load_schema()
    title = _("{name}: delivery of {date}").format(
        name=isolated(printable(one.agreement.name)), date=isolated(now.date)
    )
    against = _("This is the first delivery.")
    if one.before:
        against = _("Compared with the delivery of {date}.")
        against = against.format(date=isolated(one.before.date))
    first = (Words((against,)), _rows(one), *alarm_table(now.alarms))
    yield Section(name, title, first, across=True)
    texts = [*_unknown(now.unknown, shown), *_unread(now), *_faults(one)]
    if texts:
        yield Section(f"{name}-texts", _("What was not read"), tuple(texts))
    recorded = [
        (label(v, current()), *(_part(d.recorded(v), d.records) for d in one.pair))
        for v in now.values
    ]
    table = _beside(one, _("Records in which a variable is recorded"), (_("Variable"),), recorded)
    yield Section(f"{name}-recorded", _("What is recorded"), (table,))
    flags = [v for v in now.values if schema.variable(v).kind == "flag"]
    values: list[Block] = [_values(one, v) for v in now.values if v not in flags]
    if flags:
        yes = [
            (label(v, current()), *(_part(_count(d, v, "yes"), d.recorded(v)) for d in one.pair))
            for v in flags
        ]
        head = (_("Variable"),)
        values.append(_beside(one, _("Yes, among the records in which it is recorded"), head, yes))
    if values:
        yield Section(f"{name}-values", _("Values"), tuple(values))


def _beside(
    one: SeenContributor,
    title: str,
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    subtitle: str = "",
) -> TextTable:
    """A table with a column for the delivery, and one for that before."""
    return TextTable(title, subtitle, (*head, *(isolated(d.date) for d in one.pair)), tuple(rows))


def _rows(one: SeenContributor) -> TextTable:
    """Rows, records and people."""
    seen, linked = one.pair, [d.people for d in one.pair]
    counts: list[tuple[str, list[int | None]]] = [
        (_("Rows read"), [d.rows for d in seen]),
        (_("Records made of them"), [d.records for d in seen]),
        (_("Rows rejected"), [d.rejected for d in seen]),
    ]
    for rule in sorted({rule for d in seen for rule in d.excluded}):
        words = _("excluded by {rule}").format(rule=isolated(rule))
        counts.append((words, [d.excluded.get(rule, 0) for d in seen]))
    for words, of in (
        (_("People whom these records are about"), "people"),
        (_("People changed by this delivery"), "changed"),
        (_("People who left with this delivery"), "left"),
        (_("New people"), "new"),
        (_("Person keys that contradict"), "shared"),
    ):
        if any(linked):
            counts.append((words, [getattr(line, of) if line else None for line in linked]))
    rows = [(words, *("–" if n is None else number(n) for n in each)) for words, each in counts]
    subtitle = _("People were counted when records were last linked.") if one.now.people else ""
    return _beside(one, _("Rows, records and people"), (_("What"),), rows, subtitle)


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


def _unknown(unknown: Sequence[UnknownText], shown: bool) -> list[TextTable]:
    """Texts that no rule can read; for who may not see them, how many by column."""
    if not unknown:
        return []
    if shown:
        left = len(unknown) - MOST
        note = _("More texts in the workbook: {n}.").format(n=number(left)) if left > 0 else ""
        return [_texts(sorted(unknown, key=lambda u: -u.rows)[:MOST], note)]
    columns: dict[str, list[int]] = {}
    for text in unknown:
        columns.setdefault(text.column, []).append(text.rows)
    rows = [
        (isolated(printable(column)), number(len(each)), number(sum(each)))
        for column, each in sorted(columns.items(), key=lambda item: -sum(item[1]))
    ]
    head = (_("Column"), _("Texts"), _("Rows"))
    return [TextTable(_("Texts that no rule can read"), "", head, tuple(rows))]


def _texts(unknown: Iterable[UnknownText], note: str = "") -> TextTable:
    """Unknown texts with what became of them."""
    rows = tuple(
        (_own(u.column), _own(u.text), number(u.rows), u.nearest or "–", said(OUTCOMES[u.outcome]))
        for u in unknown
    )
    head = (_("Column"), _("Text"), _("Rows"), _("Nearest code"), _("What became of it"))
    return TextTable(_("Texts that no rule can read"), "", head, rows, note, words=True)


def _own(text: str) -> str:
    """A text of a file as it may stand in a cell."""
    return isolated(printable(text))


def _unread(now: SeenDelivery) -> list[Block]:
    title = _("Columns that no rule reads and of which the mapping says nothing")
    return [Words((), title), Items(tuple(map(_own, now.unread)))] if now.unread else []


def _faults(one: SeenContributor) -> list[TextTable]:
    """Rejected rows; none where the delivery has none."""
    ordered = sorted(one.now.faults.items(), key=lambda item: -item[1])
    rows = [
        (
            isolated(rule),
            _own(column) or "–",
            *(number(d.faults.get((rule, column), 0)) for d in one.pair),
        )
        for (rule, column), _n in ordered
    ]
    title = _("Rejected rows by rule and column")
    return [_beside(one, title, (_("Rule"), _("Column")), rows)] if rows else []


def _count(delivery: SeenDelivery, variable: str, code: str) -> int:
    return delivery.values.get(variable, {}).get(code, 0)


def _values(one: SeenContributor, variable: str) -> Bars:
    """The values of a variable, each with its share of those that are recorded."""
    now = one.now
    counts, years = now.values[variable], load_schema().variable(variable).kind == "year"
    codes = {c: None for d in one.pair for c in d.values.get(variable, {}) if c != NOT_RECORDED}
    ordered = sorted(codes, key=lambda c: c if years else (-counts.get(c, 0), c))
    shown = ordered if years else ordered[:TOP_VALUES]
    left = len(ordered) - len(shown)
    note = _("More values in the workbook: {n}.").format(n=number(left)) if left else ""
    subtitle = _("Recorded in {n} of {of} records.").format(
        n=number(now.recorded(variable)), of=number(now.records)
    )
    bars = tuple(_bar(one, variable, code) for code in shown)
    return Bars(label(variable, current()), subtitle, bars, note)


def _bar(one: SeenContributor, variable: str, code: str) -> Bar:
    n, base = _count(one.now, variable, code), one.now.recorded(variable)
    text, *before = (_part(_count(d, variable, code), d.recorded(variable)) for d in one.pair)
    if before:
        text = _("{now}; before: {before}").format(now=text, before=before[0])
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


def workbook(views: Sequence[SeenContributor]) -> bytes:
    """The workbook, in the language in force."""
    every = [((one.agreement.id, d.date), d) for one in views for d in one.pair]
    who = (_("contributor"), _("delivery"))
    texts = (_("column"), _("text"), _("rows"), _("nearest code"), _("what became of it"))
    return as_workbook(
        [
            (
                _("Alarms"),
                (*who, _("alarm"), _("what"), _("it stops"), _("accepted"), _("reason")),
                [(*at, *cells) for at, d in every for cells in _alarm_cells(d)],
            ),
            (
                _("Unknown texts"),
                (*who, *texts),
                [
                    (*at, *_text_cells(u), said(OUTCOMES[u.outcome]))
                    for at, d in every
                    for u in d.unknown
                ],
            ),
            (
                _("Values"),
                (*who, _("variable"), _("label"), _("code"), _("value"), _("records")),
                [(*at, *cells) for at, d in every for cells in _value_cells(d)],
            ),
            (
                _("Rejects"),
                (*who, _("rule"), _("column"), _("rows")),
                [(*at, *key, n) for at, d in every for key, n in d.faults.items()],
            ),
            (
                _("Unread columns"),
                (*who, _("column")),
                [(*at, column) for at, d in every for column in d.unread],
            ),
        ]
    )


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
    buffer = io.BytesIO()
    write_spreadsheet(buffer, plain, rtl=current() in RIGHT_TO_LEFT)
    return buffer.getvalue()


def _fitting(cell: str | int) -> str | int:
    """A cell without what a workbook cannot hold: control characters, and more than its length."""
    return str(harmless(CONTROL.sub("·", cell)[:LONGEST])) if isinstance(cell, str) else cell


def _alarm_cells(delivery: SeenDelivery) -> Iterator[Cells]:
    for a in delivery.alarms:
        stops = _("the build") if a.stops else _("a charge")
        yield a.entry, said(a.what()), stops, _("yes") if a.accepted else _("no"), a.reason


def _text_cells(one: UnknownText) -> Cells:
    return one.column, one.text, one.rows, one.nearest


def _value_cells(delivery: SeenDelivery) -> Iterator[Cells]:
    for variable, counts in delivery.values.items():
        for code, n in counts.items():
            yield variable, label(variable, current()), code, value_label(variable, code), n


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
    sections = [*comparing(compared), Section("alarms", "", tuple(alarm_table(now.alarms)))]
    if rows:
        table = _rejected(rows)
        sections.append(Section("rows", table.title, (table,)))
    else:
        sections.append(Section("rows", "", (Words((_("No row was rejected."),)),)))
    if now.unknown:
        texts = _texts(now.unknown[:MOST_ROWS])
        sections.append(Section("texts", texts.title, (texts,)))
    about = _("Quality report on the delivery of {date}")
    lead = _(
        "Of {rows} rows, {records} became records and {rejected} were rejected. Every row "
        "in this report is your own."
    ).format(rows=number(now.rows), records=number(now.records), rejected=number(now.rejected))
    return Document(
        meta=_private_meta(hub, private, made),
        title=one.agreement.name,
        subtitle=about.format(date=isolated(now.date)),
        lead=(lead,),
        sections=tuple(sections),
    )


def _rejected(rows: Sequence[RejectedCell]) -> TextTable:
    listed = tuple(
        (
            number(r.row),
            _own(r.column) or "–",
            _own(r.text) or "–",
            isolated(r.rule),
            said(r.reason),
        )
        for r in rows[:MOST_ROWS]
    )
    head = (_("Row"), _("Column"), _("Text"), _("Rule"), _("What is wrong"))
    left = len(rows) - MOST_ROWS
    note = _("More rows in the workbook: {n}.").format(n=number(left)) if left > 0 else ""
    subtitle = _("Correct them in your own system, and send the file again.")
    return TextTable(_("Rows that were rejected"), subtitle, head, listed, note, words=True)


def own_workbook(one: SeenContributor, rows: Sequence[RejectedCell]) -> bytes:
    """The same as a workbook: a sheet of rejected rows, with a column for the correction."""
    what, fix = _("what is wrong"), _("your correction")
    head = (_("file"), _("row"), _("column"), _("text"), _("rule"), what, fix)
    wrong = [(r.file, r.row, r.column, r.text, r.rule, said(r.reason), "") for r in rows]
    columns = (_("column"), _("text"), _("rows"), _("nearest code"))
    texts = map(_text_cells, one.now.unknown)
    return as_workbook([(_("Rejected rows"), head, wrong), (_("Unknown texts"), columns, texts)])
