"""Verbs of the hub: init, demo, check, look, build, release, ledger, journal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ctdhub.cli import approve, options
from ctdhub.cli.approve import show_unit
from ctdhub.cli.output import bar, errors, say, show_document, show_error, show_exactly, show_table
from ctdhub.core.errors import HubError, WouldCharge, error, printable
from ctdhub.core.format import exact, listed, number, tiny
from ctdhub.core.i18n import NATIVE_NAMES, Text, _, current, joined, language, many, ngettext, said

if TYPE_CHECKING:
    from ctdhub.hub.folder import Hub
    from ctdhub.hub.preflight import Done
    from ctdhub.hub.stages.link import DeliveryLine
    from ctdhub.report.helplines import Help
    from ctdhub.sensitive.alarms.checks import Alarm
    from ctdhub.sensitive.mapping.file_account import UnknownText


# --------------------------------------------------------------------------------------------------
# What stewards see of alarms and of unknown texts on their own terminal.

MOST = 20
"""Unknown texts that are shown; the file has all of them."""


def show_alarms(alarms: Sequence[Alarm]) -> None:
    """Open alarms one by one, those that stop the build first; accepted ones by number."""
    open_alarms = sorted((a for a in alarms if not a.accepted), key=lambda a: not a.stops)
    if open_alarms:
        rows = []
        for alarm in open_alarms:
            stops = _("the build") if alarm.stops else _("a charge")
            words = (alarm.contributor, alarm.delivery, printable(alarm.entry), said(alarm.what()))
            rows.append((*words, stops))
        head = (_("contributor"), _("delivery"), _("alarm"), _("what"), _("it stops"))
        show_table(_("Alarms about the data: look before you go on"), head, rows)
    if accepted := len(alarms) - len(open_alarms):
        text = ngettext(
            "{n} alarm is accepted in a mapping.", "{n} alarms are accepted in mappings.", accepted
        )
        say(text, n=number(accepted))


def show_unknown(texts: Sequence[UnknownText]) -> None:
    """The unknown texts of most rows; they are texts of case records."""
    from ctdhub.sensitive.mapping.file_account import OUTCOMES

    if not texts:
        return
    rows = []
    for one in sorted(texts, key=lambda u: -u.rows)[:MOST]:
        words = (printable(one.column), printable(one.text), number(one.rows), one.nearest)
        rows.append((*words, said(OUTCOMES[one.outcome])))
    head = (_("column"), _("text"), _("rows"), _("nearest code"), _("what became of it"))
    show_table(_("Texts that no rule can read: for the steward alone"), head, rows)
    if (more := len(texts) - MOST) > 0:
        text = ngettext("and {n} more text", "and {n} more texts", more)
        say(text, n=number(more))


# --------------------------------------------------------------------------------------------------
# People beside rows and records by delivery, and what the newest delivery changed.

ABOUT_PEOPLE = ("nobody-again", "most-left")
"""Alarms that say what a warning here says of a delivery too small for an alarm."""


def show_deliveries(hub: Hub) -> None:
    """What the last link saw of each delivery, for the steward alone."""
    from ctdhub.hub.stages.alarms import alarms_of
    from ctdhub.hub.stages.link import deliveries

    lines = deliveries(hub)
    if not lines:
        return
    rang = {(a.contributor, a.delivery) for a in alarms_of(hub) if a.name in ABOUT_PEOPLE}
    agreed = {a.id: a for a in hub.agreements()}
    shared = any(d.shared for d in lines)
    head = [_("contributor, delivery"), _("rows"), _("records"), _("people")]
    head += [_("changed"), _("left"), _("new"), *([_("keys that contradict")] if shared else [])]
    rows = []
    for d in lines:
        compared = [number(n) if d.compared else "–" for n in (d.changed, d.left, d.new)]
        figures = [number(n) for n in (d.rows, d.records, d.people)]
        last = [number(d.shared)] if shared else []
        rows.append((f"{d.contributor}\n{d.date}", *figures, *compared, *last))
    show_table(_("People by delivery: for the steward, not to be published"), head, rows, right=1)
    for contributor, each in groupby(lines, key=lambda d: d.contributor):
        own = list(each)
        if len(own) > 1 and not own[-1].compared:
            text = _("{id}: rows without a person key, so its deliveries cannot be compared.")
            say(text, id=contributor)
        elif len(own) > 1:
            say(f"{contributor}: {said(_brought(own[-1]))}")
            by = agreed.get(contributor)
            # the alarm says so; corrections hold whom somebody chose
            known = (contributor, own[-1].date) in rang or (by and by.patches_on(own[-1].date))
            cumulative = by is not None and by.deliveries == "cumulative"
            if not known and (text := _doubt(own[-1], cumulative=cumulative)):
                say(text, id=contributor, date=own[-1].date)
        if contradicting := sum(d.shared for d in own):
            say(_warning(contributor, contradicting))


def _brought(delivery: DeliveryLine) -> Text:
    """What a delivery changed, in a sentence."""
    parts = [
        many("{n} person changed", "{n} people changed", delivery.changed, n=delivery.changed),
        many("{n} person left", "{n} people left", delivery.left, n=delivery.left),
        many("{n} new person", "{n} new people", delivery.new, n=delivery.new),
    ]
    return Text(
        "{changes} by the delivery of {date}.", changes=joined(parts, ", "), date=delivery.date
    )


def _doubt(newest: DeliveryLine, *, cumulative: bool) -> str:
    """What the newest delivery may mean that has none, or few, of the people before; else empty."""
    if newest.new and not newest.again and newest.left:
        return _(
            "Warning: none of the people in earlier deliveries of {id} is in that of {date}. If "
            "its numbers are now written in another way, such as 123 for 00123, people who "
            "withdrew are not recognised."
        )
    if newest.new and not newest.again:  # additions
        return _(
            "Warning: none of the people in earlier deliveries of {id} is in that of {date}. If it "
            "repeats people whose numbers are now written in another way, such as 123 for 00123, "
            "they count twice."
        )
    if cumulative and newest.left > newest.again:
        return _(
            "Warning: most people in earlier deliveries of {id} are not in that of {date} and were "
            "removed. If it holds only what is new or changed, its agreement must say deliveries: "
            "additions."
        )
    return ""


def _warning(contributor: str, shared: int) -> str:
    """Who is one person though the rows say otherwise."""
    warning = many(
        "Warning: in the files of {id}, {n} person key has rows that contradict each "
        "other: two genders, or dates of birth too different for one person.",
        "Warning: in the files of {id}, {n} person keys have rows that contradict each "
        "other: two genders, or dates of birth too different for one person.",
        shared,
        id=contributor,
        n=shared,
    )
    remedy = _(
        "Each key still counts as one person. If several people share a number, write key with "
        "several columns in the mapping, or case instead of hash."
    )
    return f"{said(warning)} {remedy}"


# --------------------------------------------------------------------------------------------------
# Asking before privacy budget is spent: on a terminal a person, elsewhere the option --spend.

Spend = Annotated[float | None, typer.Option("--spend", metavar="EPSILON", min=0)]

AcceptAlarms = Annotated[bool, typer.Option("--accept-alarms")]

OPEN_ALARMS = "open-alarms"
"""The rule that refuses a charge while an alarm is open."""


def build_hub(
    hub: Hub,
    until: str,
    spend: float | None = None,
    accept_alarms: bool = False,
    version: str = "",
    note: str = "",
) -> list[Done]:
    """Build with a progress bar; where alarms stop the build, all that are open are shown.

    Nothing is held while a person thinks: the build breaks off at the price, and begins again where
    it was once the price may be spent.

    Args:
        until, version, note: see :func:`ctdhub.hub.pipeline.build`.
        spend: the most epsilon that may be spent unasked, None where a person is to be asked.
        accept_alarms: whether alarms about the data are accepted unasked.

    Raises:
        WouldCharge: it may not be spent; nothing was charged.
        UsageError: ``spend`` is no finite number (rule ``usage``).
    """
    from ctdhub.dp.quote import up_to
    from ctdhub.hub import pipeline
    from ctdhub.hub.stages.alarms import alarms_of
    from ctdhub.sensitive.mapping.mapping import STOPPING

    if spend is not None and not math.isfinite(spend):
        raise error("usage/finite", name="--spend")
    may = spend or 0.0
    while True:
        try:
            with bar() as progress:
                return pipeline.build(
                    hub,
                    until=until,
                    progress=progress,
                    version=version,
                    note=note,
                    pay=up_to(may),
                    accept_alarms=accept_alarms,
                )
        except WouldCharge as refused:
            if spend is not None or not _somebody_there():
                raise
            if alarms := refused.rule == OPEN_ALARMS:
                show_alarms(alarms_of(hub))
            say(refused.what, to=errors)
            question = _("Accept these alarms for this charge?") if alarms else _("Spend it?")
            if not typer.confirm(question, err=True):
                raise
            if alarms:
                accept_alarms = True
            else:
                may = cast("float", refused.fields["cost"])
        except HubError as met:
            if met.rule in STOPPING:
                show_alarms(alarms_of(hub))
            raise


def _somebody_there() -> bool:
    return sys.stdin.isatty() and errors.is_terminal


# --------------------------------------------------------------------------------------------------
# Verbs of the hub: init, demo, check, build, release, ledger, and those of approval.


def init(
    folder: Path,
    name: str = "",
    max_people: Annotated[int | None, typer.Option(min=1, max=10**9)] = None,
) -> None:
    """The verb ``init``."""
    from ctdhub.dp.policy import MAX_PEOPLE, usual_promise
    from ctdhub.hub import init as start

    most = max_people or MAX_PEOPLE
    start.new_hub(folder, name or folder.resolve().name, max_people=most)
    say(_("Made a hub in {folder}."), folder=folder)
    epsilon, budget = usual_promise(most)
    text = _(
        "policy.yaml: epsilon {epsilon} for a release and {budget} for all together, for "
        "up to {n} people. `ctdhub rehearse` shows what each choice costs in error."
    )
    say(text, epsilon=exact(epsilon), budget=exact(budget), n=number(most))
    say(_("Next: `ctdhub desk serve {folder}`, or write contributors/<id>.yaml."), folder=folder)


def demo(
    folder: Path, people: Annotated[int | None, typer.Option(min=1_000, max=2_000_000)] = None
) -> None:
    """The verb ``demo``."""
    from ctdhub.hub import init as start

    with bar() as progress:
        hub = start.practice_hub(folder, people, progress)
    run(hub, "site")
    say(_("See it: ctdhub serve {folder}"), folder=folder)


def build(
    folder: options.Folder = Path(),
    until: str = "site",
    explain: Annotated[bool, typer.Option("--explain")] = False,
    spend: Spend = None,
    accept_alarms: AcceptAlarms = False,
) -> None:
    """The verb ``build``."""
    from ctdhub.hub import pipeline

    if until not in pipeline.STAGES:
        raise error("usage/one-of", name="--until", stages=", ".join(pipeline.STAGES))
    if explain:
        others = {"--spend": spend is not None, "--accept-alarms": accept_alarms}
        options.refuse_beside("--explain", others, "build")
    hub = options.hub(folder)
    if explain:
        show_steps(pipeline.build(hub, until=until, dry=True), dry=True)
    else:
        run(hub, until, spend, accept_alarms)


def check(folder: options.Folder = Path()) -> None:
    """The verb ``check``."""
    from ctdhub.dp.plan import person_rows
    from ctdhub.hub import withdrawals
    from ctdhub.hub.contributions import mappings
    from ctdhub.hub.deliveries import refuse_unclear
    from ctdhub.hub.folder import policy
    from ctdhub.hub.preflight import check_shown, countries_without
    from ctdhub.hub.stages import link
    from ctdhub.sensitive.mapping.mapping import require_people
    from ctdhub.sensitive.mapping.mapping_file import load_mapping
    from ctdhub.sensitive.mapping.run import check_mapping

    hub = options.hub(folder)
    link.refuse_linkage_keys(hub)
    rules = policy(hub)
    facts = hub.facts(rules.years)
    files = hub.contributions()
    _warn_of_terms(hub)
    show_left_out(hub)
    withdrawals.register(hub)
    hub.refuse_withdrawn_files()
    help = check_shown(hub)
    faults = 0
    for agreement in hub.agreements():
        try:
            for _from, file in mappings(hub, agreement.id):
                mapping = load_mapping(file)
                require_people(mapping, file, agreement.rows_per_person)
                check_mapping(mapping)
            own = [one.date for one in files if one.contributor == agreement.id]
            refuse_unclear(hub, agreement, own)
        except HubError as fault:
            faults += 1
            say(f"✗ {agreement.id}")
            show_error(fault)
        else:
            say(f"✓ {agreement.id}")
    if faults:
        raise typer.Exit(HubError.exit_code)
    say(_("Settings, agreements and mappings are in order."))
    approve.show_candidate(hub)
    of = person_rows(rules, facts)
    show_unit(of.unit, of.bound, [(rules.epsilon, rules.delta)])
    if help:
        _warn_of_helplines(help, countries_without(hub, help))
    _warn_of_readers(hub)
    _warn_of_reviews(hub)


def release(
    folder: options.Folder = Path(),
    version: str = "",
    note: str = "",
    spend: Spend = None,
    accept_alarms: AcceptAlarms = False,
) -> None:
    """The verb ``release``."""
    hub = options.hub(folder)
    approve.warn_of_withdrawals(note)

    build_hub(hub, "release", spend, accept_alarms, version, note)
    show_release(hub)
    _warn_of_reviews(hub)


def ledger(folder: options.Folder = Path(), as_json: options.AsJson = False) -> None:
    """The verb ``ledger``."""
    from ctdhub.desk.worker.answers import ledgers
    from ctdhub.document.document import from_json
    from ctdhub.dp.policy import load_policy
    from ctdhub.hub.paid import Account, budget_split, check_paid
    from ctdhub.hub.paid import ledger as charged

    hub = options.hub(folder)
    if as_json:
        check_paid(hub)
        rules = load_policy(hub.policy_file)
        show_exactly(Account.of(charged(hub), rules, budget_split(hub, rules)).json())
    else:
        show_document(from_json(ledgers.ledger_page(hub)["document"]))


def _warn_of_terms(hub: Hub) -> None:
    """Say which agreements end soon.

    Raises:
        PolicyError: one has ended.
    """
    for agreement in hub.check_terms():
        text = _("Warning: the agreement with {id} ends on {day}; after that day no build runs.")
        say(text, id=agreement.id, day=agreement.ends)


def _warn_of_reviews(hub: Hub) -> None:
    """Say which languages of the site no native reader has signed as they are today."""
    from ctdhub.site.frame import reviews

    states = reviews(hub.settings.languages)
    if missing := [f"{NATIVE_NAMES[one.code]} ({one.texts})" for one in states if one.missing]:
        text = _(
            "Warning: no native protection officer and statistician have reviewed the public "
            "texts in these languages (locale/REVIEW.yaml): {languages}."
        )
        say(text, languages=listed(missing))
    if stale := [f"{NATIVE_NAMES[one.code]} ({one.texts})" for one in states if one.stale]:
        text = _(
            "Warning: the public texts have changed since they were reviewed in these "
            "languages (locale/REVIEW.yaml): {languages}."
        )
        say(text, languages=listed(stale))


def _warn_of_readers(hub: Hub) -> None:
    """Say what readers of the site would miss: an address, a text that somebody has reviewed."""
    from ctdhub.site.pages.help import review_mark

    settings = hub.settings
    if not settings.contact:
        text = _(
            "Warning: hub.yaml names no `contact`, so readers can neither reach the hub nor "
            "object to what the site shows."
        )
        say(text)
    for code in settings.languages:
        with language(code):
            mark = review_mark()
        if settings.help_reviewed.get(code) != mark:
            text = _(
                "Warning: nobody has reviewed the page Get help in {language}. Once a "
                "protection officer who reads it has, write `{code}: {mark}` under "
                "`help_reviewed` in hub.yaml."
            )
            say(text, language=NATIVE_NAMES[code], code=code, mark=mark)


def _warn_of_helplines(help: Help, without: Sequence[str]) -> None:
    """Say where people who read the site would find nobody; the build goes on all the same.

    Args:
        without: alpha-3 codes of countries that have a page and no line.
    """
    from ctdhub.schema import countries

    if not help.lines:
        text = _(
            "Warning: helplines.yaml names no line, so the site gives people in danger "
            "no line to call."
        )
        if help.text:
            text = _(
                "Warning: write the helpline of hub.yaml into helplines.yaml, with its country."
            )
        say(text)
    elif without:
        names = [countries.name(c, current()) for c in countries.by_name(without, current())]
        text = _("Warning: countries with a page and no line in helplines.yaml ({n}): {names}.")
        say(text, n=number(len(names)), names=listed(names))
    for line in help.in_one_language():
        text = _(
            "Warning: the hours of {name} ({country}) are shown in the same words in every "
            "language. Write them as 24/7 or Mo-Fr 09:00-17:00, then each page says them in "
            "its language."
        )
        say(text, name=line.name, country=line.country)
    for line in help.unchecked():
        text = _(
            "Warning: nobody has checked {name} ({country}) since {day}. Call it, then write "
            "the day into helplines.yaml."
        )
        say(text, name=line.name, country=line.country, day=line.checked_on.isoformat())


def run(hub: Hub, until: str, spend: float | None = None, accept_alarms: bool = False) -> None:
    """Build, then show what came out; see :func:`build_hub`."""
    from ctdhub.hub.stages.alarms import alarms_of

    show_steps(build_hub(hub, until, spend, accept_alarms), dry=False)
    show_conservation(hub)
    if until != "harmonise":
        show_deliveries(hub)
        show_alarms(alarms_of(hub))
    if until in ("candidate", "release", "site"):
        show_release(hub)


def show_steps(done: list[Done], *, dry: bool) -> None:
    """One line per step: what ran, or would run, and why."""
    if not any(d.reason for d in done):
        say(_("Everything is up to date; nothing to do."))
        return
    rows = []
    for d in done:
        state = _("may run") if d.perhaps else _("runs") if d.reason else _("up to date")
        why = said(d.reason) if d.reason else ""
        rows.append((d.step, state, why) if dry else (d.step, why or state))
    head = (_("step"), _("what happens"), _("why")) if dry else (_("step"), _("why"))
    show_table(_("What would run") if dry else _("Steps"), head, rows, fold=False)
    if any(d.same for d in done):
        say(_("A comment or the layout of a mapping changes no record and no charge."))
    for d in done:
        if d.remark:
            say(said(d.remark))


def show_left_out(hub: Hub) -> None:
    """Variables that the schema has by now, and that the hub's version of it has not."""
    from ctdhub.hub.folder import left_out, policy
    from ctdhub.schema.model import numbers

    if variables := left_out(hub, policy(hub)):
        text = _(
            "Not released, because schema_version in hub.yaml is older: {columns}. To release "
            "them, set schema_version to {version}: the next build then asks for a charge."
        )
        columns = ", ".join(v.name for v in variables)
        newest = max((v.since for v in variables), key=numbers)
        say(text, columns=columns, version=newest)
        if asked := [v.name for v in variables if v.on_request]:
            also = _(
                "Of these, a policy releases the following only if it names them under also: "
                "{columns}."
            )
            say(also, columns=", ".join(asked))


def show_conservation(hub: Hub) -> None:
    """Per file: rows read = records + rejected + excluded by a named rule."""
    from ctdhub.hub.review import reports

    rows, notes = [], list[str]()
    for report in reports(hub):
        c = report["conservation"]
        excluded = ", ".join(f"{rule} {number(n)}" for rule, n in c["excluded"].items()) or "0"
        figures = [number(c[k]) for k in ("rows_read", "records", "rejected")]
        name = f"{report['contributor']}\n{report['date']}"
        rows.append((name, *figures, excluded))
        notes += [f"{report['contributor']}: {note}" for note in report["notes"]]
    head = [_("contributor, delivery"), _("read"), _("records"), _("rejected")]
    show_table(_("Every row accounted for"), [*head, _("excluded by rule")], rows, right=1)
    for note in notes:
        say(note)


def show_release(hub: Hub) -> None:
    """The release in two lines, rows and people named apart; then what waits for approval."""
    from ctdhub.hub.folder import candidate_version, released_version

    version = released_version(hub)
    if version is not None:
        show_figures(hub, version)
    made = candidate_version(hub)
    if made is not None and (hub.candidates / made).is_dir():
        approve.show_waiting(hub, made)


def show_figures(hub: Hub, version: str) -> None:
    """What a release is about and what it promises."""
    from ctdhub.release.open import open_release
    from ctdhub.report.sentences import headline_of

    release = open_release(hub.releases / version)
    guarantee = release.protected.guarantee
    text = _(
        "Release {version}, from about {records} case records; epsilon {epsilon}, delta {delta}."
    )
    say(
        f"{text} {headline_of(release)}",
        version=version,
        records=number(release.protected.case_records.value),
        epsilon=exact(guarantee.epsilon),
        delta=tiny(guarantee.delta),
    )


# --------------------------------------------------------------------------------------------------
# The verb journal: who ran or decided what.


def journal(
    folder: options.Folder = Path(),
    last: Annotated[int, typer.Option(min=1)] = 50,
    as_json: options.AsJson = False,
) -> None:
    """The verb ``journal``."""
    from ctdhub.hub.folder import read_journal

    lines = read_journal(options.hub(folder))[-last:]
    if as_json:
        text = json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1)
        show_exactly(text)
        return
    if not lines:
        say(_("Nothing has been noted in this hub yet."))
        return
    rows = []
    for line in lines:
        asked = " ".join(f"{k}={v}" for k, v in line.details.items() if v not in ("", None))
        outcome = _("done") if line.outcome == "done" else line.outcome
        cells = (line.time.replace("T", " "), line.user, f"{line.what} {asked}", outcome)
        rows.append([printable(cell, 300) for cell in cells])
    show_table(_("Journal"), (_("when"), _("user"), _("what"), _("outcome")), rows, fold=False)


# --------------------------------------------------------------------------------------------------
# The verb look: what contributors sent, before privacy is spent.


FOLDER = "look"
"""Where what is seen lies below ``work/``."""


def look(
    folder: options.Folder = Path(),
    contributor: str | None = None,
    delivery: str | None = None,
    lang: str = "",
    html: Path | None = None,
    xlsx: Path | None = None,
    report: Path | None = None,
) -> None:
    """The verb ``look``."""
    from ctdhub.document import html as as_html
    from ctdhub.hub.private.look import look
    from ctdhub.hub.private.pages import page, workbook
    from ctdhub.hub.stages.differencing import disclosures_of

    hub = options.hub(folder)
    if report is not None and contributor is None:
        raise error("usage/missing", name="--contributor", command="ctdhub look --report")
    targets = {
        "--html": _place(hub, html, ".html"),
        "--xlsx": _place(hub, xlsx, ".xlsx"),
        "--report": _place(hub, report, ".html", ".xlsx"),
    }
    with options.speaking(lang):
        with bar() as progress:
            progress(_("Reading the files"), 0.1)
            views = look(hub, contributor, delivery)
        today = datetime.now(UTC).date()
        compared = [said(one.words) for one in disclosures_of(hub)]
        document = page(hub.settings.name, views, today, compared)
        if target := targets["--html"]:
            _keep(target, as_html.write(document).encode())
        if target := targets["--xlsx"]:
            _keep(target, workbook(views))
        if target := targets["--report"]:
            from ctdhub.hub.private.look import own_rows
            from ctdhub.hub.private.pages import own_page, own_workbook

            (one,) = views
            rows = own_rows(hub, one.agreement.id, one.now.date)
            if target.suffix.lower() == ".xlsx":
                _keep(target, own_workbook(one, rows))
            else:
                own = [said(t.words) for t in disclosures_of(hub) if t.id == one.agreement.id]
                text = as_html.write(own_page(hub.settings.name, one, rows, today, own))
                _keep(target, text.encode())
            say(_("It holds rows of this contributor alone: send it to nobody else."))
        if not any(targets.values()):
            show_document(document)


def _place(hub: Hub, asked: Path | None, *endings: str) -> Path | None:
    """Where a file is written: below ``work/look`` of the hub, or outside the hub.

    Raises:
        FileError: it would lie among the files of the hub that others read, or has another ending.
    """
    if asked is None:
        return None
    options.require_suffix(asked, *endings)
    if asked.parent == Path():
        return hub.work / FOLDER / asked
    target, own = asked.resolve(), (hub.work / FOLDER).resolve()
    if target.is_relative_to(hub.root.resolve()) and not target.is_relative_to(own):
        raise error("private/look", file=asked)
    return asked


def _keep(target: Path, content: bytes) -> None:
    """Write a private file, or replace one."""
    from ctdhub.core.files import write_whole

    if target.parent.name == FOLDER:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(target, content)
    options.tell_written(target)
