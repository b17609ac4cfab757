"""A contributor's private report: its own exact profile beside the hub's protected picture.

The report is sensitive: it holds exact counts.  It is written below ``work/`` and nowhere else
unless the steward names another place, and never into a site or a release.  It counts what the
contributor sent, less what it told the hub itself: what others send or tell shows nowhere in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.build.contributions import RECORDS, account_of, faults_of
from ctdhub.build.deliveries import OutOfForce, accounted, own_out_of_force, sent, without
from ctdhub.build.hub import Agreement, Hub
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.steps import Step
from ctdhub.core.errors import error
from ctdhub.core.format import number, share, year
from ctdhub.core.i18n import _, current
from ctdhub.document.document import Document, Meta, Notebook, Section, TextTable, Words
from ctdhub.report.brief.make import closing, meta
from ctdhub.report.wording import ranged, state_words
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import AGE, DELIVERIES, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.profile import Profile, profile
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import Row
from ctdhub.stats.tables import distribution, flag_group

TOP = 10
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
        *_compared_releases(compared),
        Section("own-sent", _("What you sent"), (_sent(own), *_refused(own))),
        Section(
            "own-gender",
            _("People in your records compared with the hub’s data"),
            (_compared(own, answers, SEX, head),),
        ),
        Section("own-age", "", (_compared(own, answers, AGE, head),)),
        Section("own-exploitation", "", (_flags(own, answers, "exploitation", head),)),
        Section("own-citizenship", "", (_compared(own, answers, ORIGIN, head, TOP),)),
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


def _compared_releases(compared: Sequence[str]) -> tuple[Section, ...]:
    if not compared:
        return ()
    return (
        Section(
            "own-compared", _("What a comparison of releases reveals"), (Words(tuple(compared)),)
        ),
    )


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
