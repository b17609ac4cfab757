"""Verbs of the hub: init, demo, check, build, release, ledger, and those of approval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli import approve
from ctdhub.cli.account import show_account
from ctdhub.cli.alarms import show_alarms
from ctdhub.cli.delivered import show_deliveries
from ctdhub.cli.output import bar, console, errors, show_error
from ctdhub.cli.spend import AcceptAlarms, Spend, asking
from ctdhub.cli.unit import show_unit
from ctdhub.cli.verbs import about
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.core.format import exact, listed, number, tiny
from ctdhub.core.i18n import NATIVE_NAMES, _, current, language, said

if TYPE_CHECKING:
    from ctdhub.build.explain import Done
    from ctdhub.build.hub import Hub
    from ctdhub.dp.price import Pay
    from ctdhub.report.helplines import Help
HubFolder = Annotated[Path, typer.Argument(help=_("The hub folder."))]


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("init"))
    def init(
        folder: Annotated[Path, typer.Argument(help=_("A new or empty folder."))],
        name: Annotated[str, typer.Option(help=_("Name of the hub, as readers see it."))] = "",
        max_people: Annotated[
            int | None,
            typer.Option(
                min=1,
                max=10**9,
                help=_(
                    "More people than the hub will ever hold; default: 50,000. From 100,000 "
                    "on, the policy starts at epsilon 1 and budget 3 instead of 2 and 6."
                ),
            ),
        ] = None,
    ) -> None:
        from ctdhub.build import init as start
        from ctdhub.dp.policy import MAX_PEOPLE, usual_promise

        most = max_people or MAX_PEOPLE
        start.new_hub(folder, name or folder.resolve().name, max_people=most)
        console.print(_("Made a hub in {folder}.").format(folder=escape(str(folder))))
        epsilon, budget = usual_promise(most)
        console.print(
            _(
                "policy.yaml: epsilon {epsilon} for a release and {budget} for all together, for "
                "up to {n} people. `ctdhub rehearse` shows what each choice costs in error."
            ).format(epsilon=exact(epsilon), budget=exact(budget), n=number(most))
        )
        console.print(_("Next: write contributors/<id>.yaml, then `ctdhub suggest FILE`."))

    @app.command(help=about("demo"))
    def demo(
        folder: Annotated[Path, typer.Argument(help=_("A new folder, or a practice hub."))],
        people: Annotated[
            int | None,
            typer.Option(
                min=1_000,
                max=2_000_000,
                help=_("Number of fictitious people; 60,000 in a new hub."),
            ),
        ] = None,
    ) -> None:
        from ctdhub.build import init as start

        with bar() as progress:
            hub = start.practice_hub(folder, people, progress)
        run(hub, "site")
        console.print(_("See it: ctdhub serve {folder}").format(folder=escape(str(folder))))

    @app.command(help=about("build"))
    def build(
        folder: HubFolder = Path(),
        until: Annotated[
            str,
            typer.Option(
                help=_("Last stage: harmonise, alarms, link, protect, candidate, release or site.")
            ),
        ] = "site",
        explain: Annotated[
            bool,
            typer.Option("--explain", help=_("Only say what would run, why, and what it costs.")),
        ] = False,
        spend: Spend = None,
        accept_alarms: AcceptAlarms = False,
    ) -> None:
        from ctdhub.build import pipeline
        from ctdhub.build.hub import Hub

        if until not in pipeline.STAGES:
            raise error("usage/one-of", name="--until", stages=", ".join(pipeline.STAGES))
        hub = Hub(folder)
        if explain:
            show_steps(pipeline.build(hub, until=until, dry=True), dry=True)
        else:
            run(hub, until, spend, accept_alarms)

    @app.command(help=about("check"))
    def check(folder: HubFolder = Path()) -> None:
        from ctdhub.build import withdraw
        from ctdhub.build.deliveries import refuse_unclear
        from ctdhub.build.hub import Hub
        from ctdhub.build.mapping_by_date import mappings
        from ctdhub.build.preflight import check_shown, countries_without
        from ctdhub.build.rules import policy
        from ctdhub.build.stages import link_report
        from ctdhub.dp.person_rows import person_rows
        from ctdhub.sensitive.mapping.examples import check_mapping
        from ctdhub.sensitive.mapping.mapping_file import load_mapping
        from ctdhub.sensitive.mapping.person_unit import require_people

        hub = Hub(folder)
        link_report.refuse_linkage_keys(hub)
        rules = policy(hub)
        facts = hub.facts(rules.years)
        given = hub.contributions()
        _warn_of_terms(hub)
        show_left_out(hub)
        withdraw.register(hub)
        hub.refuse_withdrawn_files()
        help = check_shown(hub)
        faults = 0
        for agreement in hub.agreements():
            try:
                for _from, file in mappings(hub, agreement.id):
                    mapping = load_mapping(file)
                    require_people(mapping, file, agreement.rows_per_person)
                    check_mapping(mapping)
                own = [one.date for one in given if one.contributor == agreement.id]
                refuse_unclear(hub, agreement, own)
            except HubError as fault:
                faults += 1
                console.print(f"[red]✗[/] {escape(agreement.id)}")
                show_error(fault)
            else:
                console.print(f"[green]✓[/] {escape(agreement.id)}")
        if faults:
            raise typer.Exit(HubError.exit_code)
        console.print(_("Settings, agreements and mappings are in order."))
        approve.show_candidate(hub)
        of = person_rows(rules, facts)
        show_unit(of.unit, of.bound, [(rules.epsilon, rules.delta)])
        if help:
            _warn_of_helplines(help, countries_without(hub, help))
        _warn_of_readers(hub)
        _warn_of_reviews(hub)

    @app.command(help=about("release"))
    def release(
        folder: HubFolder = Path(),
        version: Annotated[str, typer.Option(help=_("For example 2026.2; default: next."))] = "",
        note: Annotated[str, typer.Option(help=_("What changed, for readers."))] = "",
        spend: Spend = None,
        accept_alarms: AcceptAlarms = False,
    ) -> None:
        from ctdhub.build import pipeline
        from ctdhub.build.hub import Hub
        from ctdhub.release.note_words import tells_of_withdrawals

        hub = Hub(folder)
        if tells_of_withdrawals(note):
            errors.print(approve.warning_of_withdrawals())

        def work(pay: Pay, accepted: bool) -> list[Done]:
            with bar() as progress:
                return pipeline.build(
                    hub,
                    until="release",
                    progress=progress,
                    version=version,
                    note=note,
                    pay=pay,
                    accept_alarms=accepted,
                )

        _built(hub, spend, accept_alarms, work)
        show_release(hub)
        _warn_of_reviews(hub)

    @app.command(help=about("ledger"))
    def ledger(
        folder: HubFolder = Path(),
        as_json: Annotated[bool, typer.Option("--json", help=_("Print it as JSON."))] = False,
    ) -> None:
        from ctdhub.build.account import Account
        from ctdhub.build.hub import Hub
        from ctdhub.build.paid import check_paid, published
        from ctdhub.build.paid import ledger as charged
        from ctdhub.dp.ledger.reserve import split_of
        from ctdhub.dp.policy import load_policy

        hub = Hub(folder)
        check_paid(hub)
        book, rules = charged(hub), load_policy(hub.policy_file)
        total = rules.budget
        split = split_of(book, published(hub), total.epsilon, total.drafts, rules.delta)
        account = Account.of(book, rules, split.left)
        if as_json:
            console.print(account.json(), soft_wrap=True, markup=False, highlight=False)
        else:
            show_account(account)


def _warn_of_terms(hub: Hub) -> None:
    """Say which agreements end soon.

    Raises:
        PolicyError: one has ended.
    """
    for agreement in hub.check_terms():
        console.print(
            _(
                "Warning: the agreement with {id} ends on {day}; after that day no build runs."
            ).format(id=escape(agreement.id), day=agreement.ends)
        )


def _warn_of_reviews(hub: Hub) -> None:
    """Say which languages of the site no native reader has signed as they are today."""
    from ctdhub.site.native_review import reviews

    found = reviews(hub.settings.languages)
    if missing := [f"{NATIVE_NAMES[one.code]} ({one.texts})" for one in found if one.missing]:
        console.print(
            _(
                "Warning: no native protection officer and statistician have reviewed the public "
                "texts in these languages (locale/REVIEW.yaml): {languages}."
            ).format(languages=listed(missing))
        )
    if stale := [f"{NATIVE_NAMES[one.code]} ({one.texts})" for one in found if one.stale]:
        console.print(
            _(
                "Warning: the public texts have changed since they were reviewed in these "
                "languages (locale/REVIEW.yaml): {languages}."
            ).format(languages=listed(stale))
        )


def _warn_of_readers(hub: Hub) -> None:
    """Say what readers of the site would miss: an address, a text that somebody has reviewed."""
    from ctdhub.site.pages.get_help import review_mark

    settings = hub.settings
    if not settings.contact:
        console.print(
            _(
                "Warning: hub.yaml names no `contact`, so readers can neither reach the hub nor "
                "object to what the site shows."
            )
        )
    for code in settings.languages:
        with language(code):
            mark = review_mark()
        if settings.help_reviewed.get(code) != mark:
            console.print(
                _(
                    "Warning: nobody has reviewed the page Get help in {language}. Once a "
                    "protection officer who reads it has, write `{code}: {mark}` under "
                    "`help_reviewed` in hub.yaml."
                ).format(language=NATIVE_NAMES[code], code=code, mark=mark)
            )


def _warn_of_helplines(help: Help, without: Sequence[str]) -> None:
    """Say where people who read the site would find nobody; the build goes on all the same.

    Args:
        without: alpha-3 codes of countries that have a page and no line.
    """
    from ctdhub.schema import countries

    if not help.lines:
        console.print(
            _(
                "Warning: helplines.yaml names no line, so the site gives people in danger "
                "no line to call."
            )
            if not help.text
            else _("Warning: write the helpline of hub.yaml into helplines.yaml, with its country.")
        )
    elif without:
        console.print(
            _(
                "Warning: countries with a page and no line in helplines.yaml ({n}): {names}."
            ).format(
                n=number(len(without)),
                names=listed(sorted(countries.name(code, current()) for code in without)),
            )
        )
    for line in help.in_one_language():
        console.print(
            _(
                "Warning: the hours of {name} ({country}) are shown in the same words in every "
                "language. Write them as 24/7 or Mo-Fr 09:00-17:00, then each page says them in "
                "its language."
            ).format(name=escape(line.name), country=line.country)
        )
    for line in help.unchecked():
        console.print(
            _(
                "Warning: nobody has checked {name} ({country}) since {day}. Call it, then write "
                "the day into helplines.yaml."
            ).format(name=escape(line.name), country=line.country, day=line.checked_on.isoformat())
        )


def run(hub: Hub, until: str, spend: float | None = None, accept_alarms: bool = False) -> None:
    """Build with a progress bar, then show what came out.

    Args:
        spend, accept_alarms: see :func:`asking`.
    """
    from ctdhub.build import pipeline
    from ctdhub.build.stages.alarms import alarms_of

    def work(pay: Pay, accepted: bool) -> list[Done]:
        with bar() as progress:
            return pipeline.build(
                hub, until=until, progress=progress, pay=pay, accept_alarms=accepted
            )

    show_steps(_built(hub, spend, accept_alarms, work), dry=False)
    show_conservation(hub)
    if until != "harmonise":
        show_deliveries(hub)
        show_alarms(alarms_of(hub))
    if until in ("candidate", "release", "site"):
        show_release(hub)


def _built(
    hub: Hub,
    spend: float | None,
    accept_alarms: bool,
    work: Callable[[Pay, bool], list[Done]],
) -> list[Done]:
    """Build, asking before a charge; where alarms stop the build, all that are open are shown."""
    from ctdhub.build.stages.alarms import alarms_of
    from ctdhub.sensitive.mapping.accept import STOPPING

    try:
        return asking(spend, work, accept_alarms, lambda: show_alarms(alarms_of(hub)))
    except HubError as met:
        if met.rule in STOPPING:
            show_alarms(alarms_of(hub))
        raise


def show_steps(done: list[Done], *, dry: bool) -> None:
    """One line per step: what ran, or would run, and why."""
    if not any(d.reason for d in done):
        console.print(_("Everything is up to date; nothing to do."))
        return
    table = Table(title=_("What would run") if dry else _("Steps"))
    table.add_column(_("step"))
    if dry:
        table.add_column(_("what happens"))
    table.add_column(_("why"))
    for d in done:
        state = _("may run") if d.perhaps else _("runs") if d.reason else _("up to date")
        why = said(d.reason) if d.reason else ""
        words = [state, why] if dry else [why or state]
        table.add_row(escape(d.step), *map(escape, words))
    console.print(table)
    if any(d.same for d in done):
        console.print(_("A comment or the layout of a mapping changes no record and no charge."))
    for d in done:
        if d.remark:
            console.print(escape(said(d.remark)))


def show_left_out(hub: Hub) -> None:
    """Variables that the schema has by now, and that the hub's version of it has not."""
    from ctdhub.build.rules import left_out, policy
    from ctdhub.schema.model import numbers

    if found := left_out(hub, policy(hub)):
        text = _(
            "Not released, because schema_version in hub.yaml is older: {columns}. To release "
            "them, set schema_version to {version}: the next build then asks for a charge."
        )
        columns = ", ".join(v.name for v in found)
        newest = max((v.since for v in found), key=numbers)
        console.print(text.format(columns=columns, version=newest))
        if asked := [v.name for v in found if v.on_request]:
            also = _(
                "Of these, a policy releases the following only if it names them under also: "
                "{columns}."
            )
            console.print(also.format(columns=", ".join(asked)))


def show_conservation(hub: Hub) -> None:
    """Per file: rows read = records + rejected + excluded by a named rule."""
    from ctdhub.build.reports import reports

    table = Table(title=_("Every row accounted for"))
    table.add_column(_("contributor, delivery"), overflow="fold")
    for heading in (_("read"), _("records"), _("rejected"), _("excluded by rule")):
        table.add_column(heading, justify="right")
    notes: list[str] = []
    for report in reports(hub):
        c = report["conservation"]
        excluded = ", ".join(f"{rule} {n}" for rule, n in c["excluded"].items()) or "0"
        figures = [number(c[k]) for k in ("rows_read", "records", "rejected")]
        name = f"{report['contributor']}\n{report['date']}"
        table.add_row(escape(name), *figures, escape(excluded))
        notes += [f"{report['contributor']}: {note}" for note in report["notes"]]
    console.print(table)
    for note in notes:
        console.print(escape(note))


def show_release(hub: Hub) -> None:
    """The release in two lines, rows and people named apart; then what waits for approval."""
    from ctdhub.build import versions

    version = versions.released_version(hub)
    if version is not None:
        show_figures(hub, version)
    made = versions.candidate_version(hub)
    if made is not None and (hub.candidates / made).is_dir():
        approve.show_waiting(hub, made)


def show_figures(hub: Hub, version: str) -> None:
    """What a release is about and what it promises."""
    from ctdhub.release.open import open_release

    protected = open_release(hub.releases / version).protected
    people, records = protected.people, protected.case_records
    console.print(
        _(
            "Release {version}: {people} people ({low} to {high}), from about {records} case "
            "records; epsilon {epsilon}, delta {delta}."
        ).format(
            version=version,
            people=number(people.value),
            low=number(people.low),
            high=number(people.high),
            records=number(records.value),
            epsilon=exact(protected.guarantee.epsilon),
            delta=tiny(protected.guarantee.delta),
        )
    )
