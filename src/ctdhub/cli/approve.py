"""The verb of approval: approve."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.cli.told import show_told
from ctdhub.cli.unit import rows_of_statement
from ctdhub.cli.verbs import about
from ctdhub.core.errors import printable
from ctdhub.core.format import decimal, exact, number, stamped, tiny
from ctdhub.core.format import share as percent
from ctdhub.core.i18n import _, current, said

if TYPE_CHECKING:
    from datetime import date

    from ctdhub.build.account import Account
    from ctdhub.build.hub import Hub
    from ctdhub.build.may_publish import Publication
    from ctdhub.core.keys.signing import SigningKey
    from ctdhub.dp.ledger.reserve import BudgetSplit
    from ctdhub.release.approvals import Statement
    from ctdhub.release.manifest import Manifest


class As(StrEnum):
    """The roles, as Typer wants choices."""

    steward = "steward"
    privacy_officer = "privacy_officer"


def register(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""

    @app.command(help=about("approve"))
    def approve(
        role: Annotated[As, typer.Option(help=_("The role that you sign in."))],
        key: Annotated[Path, typer.Option(help=_("The file of your private key."))],
        folder: Annotated[Path, typer.Argument(help=_("The hub folder."))] = Path(),
        version: Annotated[
            str, typer.Option(help=_("The candidate; default: the newest one."))
        ] = "",
        correction: Annotated[
            str,
            typer.Option(
                metavar="version",
                help=_("Sign the waiting notice about this published version, not a candidate."),
            ),
        ] = "",
        not_before: Annotated[
            str,
            typer.Option(
                metavar="date",
                help=_("First day of publication, such as 2026-07-01; default: at once."),
            ),
        ] = "",
        yes: Annotated[bool, typer.Option("--yes", help=_("Sign without asking."))] = False,
    ) -> None:
        from ctdhub.build.account import Account
        from ctdhub.build.hub import Hub
        from ctdhub.build.paid import budget_split, ledger
        from ctdhub.build.rules import policy
        from ctdhub.build.stages import approve as approve_stage

        hub = Hub(folder)
        if correction:
            from ctdhub.cli.correct import approve_correction

            approve_correction(hub, correction, role.value, key, yes=yes)
            return
        candidate = approve_stage.waiting(hub, version)
        day = read_day(not_before) if not_before else None
        given, manifest = approve_stage.statement(hub, candidate, role.value, day)
        rules = policy(hub)
        account = Account.of(ledger(hub), rules)
        show_statement(hub, given, manifest, account, budget_split(hub, rules))
        show_review(hub, candidate)
        show_told(hub, candidate)
        if not yes and not typer.confirm(_("Sign this?")):
            console.print(_("Nothing was signed."))
            raise typer.Exit(1)
        release = approve_stage.approve(hub, candidate, given, open_key(key))
        if release is None:
            show_waiting(hub, candidate.name)
            return
        console.print(_("Published release {version}.").format(version=release.name))
        console.print(
            _("Next: `ctdhub build {hub}` makes its site.").format(hub=escape(str(folder)))
        )


def read_day(text: str) -> date:
    """A day as a person writes it.

    Raises:
        HubError: it is none.
    """
    from datetime import date

    from ctdhub.core.error_catalogue import error

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise error("not-before") from None


def open_key(file: Path) -> SigningKey:
    """Read a private key, asking for its passphrase where it has one."""
    from ctdhub.core.keys.signing import is_encrypted, read_key

    secret = typer.prompt(_("Passphrase"), hide_input=True) if is_encrypted(file) else ""
    return read_key(file, secret)


def show_statement(
    hub: Hub, given: Statement, manifest: Manifest, account: Account, split: BudgetSplit
) -> None:
    """Everything that a person signs, before he signs."""
    from ctdhub.dp.ledger.purposes import told
    from ctdhub.release.approvers import ROLE_NAMES

    people, tables = manifest.people, sum(1 for table in manifest.sigma if table)
    charge = next(e for e in account.entries if e.id == given.charge)
    table = Table(title=_("To be approved"), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    rows = (
        (_("hub"), given.hub),
        (_("version"), given.version),
        (_("signed as"), said(ROLE_NAMES[given.role])),
        (
            _("guarantee"),
            _("epsilon {epsilon}, delta {delta}").format(
                epsilon=exact(given.guarantee.epsilon), delta=tiny(given.guarantee.delta)
            ),
        ),
        *rows_of_statement(hub, manifest),
        *(
            [(_("why it is weaker than usual"), reason)]
            if (reason := str(manifest.facts.get("promise_reason", "")))
            else []
        ),
        (
            _("people"),
            _("{value} ({low} to {high})").format(
                value=number(people.value), low=number(people.low), high=number(people.high)
            ),
        ),
        (_("tables"), number(tables)),
        *_measured(manifest),
        (
            _("charge"),
            _("number {n} of the ledger, {time}: {what}").format(
                n=charge.number,
                time=stamped(charge.time),
                what=said(told(charge.what)),
            ),
        ),
        (
            _("spent to date"),
            _("All releases together: epsilon {spent} of {budget} at delta {delta}.").format(
                spent=decimal(account.spent, "#,##0.000"),
                budget=exact(account.budget),
                delta=tiny(account.delta),
            ),
        ),
        (
            _("versions that the budget buys at this price"),
            _("{more} more after this one, with {share} of the budget kept for drafts").format(
                more=number(max(0, split.more(charge.rho) - 1)),
                share=percent(split.reserve / split.budget),
            ),
        ),
        (_("hash of that line of the ledger"), given.ledger.hash),
        (_("hash of SHA256SUMS"), given.digest),
        *([(_("hash of the review"), given.review)] if given.review else []),
        *([(_("hash of note, changes and alarms"), given.changes)] if given.changes else []),
        *([(_("hash of the desk's last event"), given.trail)] if given.trail else []),
        (_("published not before"), given.not_before or _("at once, with the second approval")),
    )
    for name, value in rows:
        table.add_row(name, escape(printable(value, 400)))
    console.print(table)
    if given.practice:
        console.print(_("The data are fictitious: this approval is for practice."))


def show_review(hub: Hub, candidate: Path) -> None:
    """What readers will be told of the release, and what the hub alone knows of its making."""
    from ctdhub.build.review import read_review
    from ctdhub.release.changelog import CHANGELOG, newest_changes, newest_note
    from ctdhub.release.note_words import tells_of_withdrawals

    text = (candidate / CHANGELOG).read_text("utf-8")
    note, changed = newest_note(text), newest_changes(text, current())
    table = Table(title=_("What readers will see"), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_row(_("note"), escape(printable(note, 2_000)) or _("No note was given."))
    for line in changed.splitlines():
        table.add_row(_("changed"), escape(printable(line.removeprefix("- "), 2_000)))
    console.print(table)
    if tells_of_withdrawals(note):
        console.print(warning_of_withdrawals())
    found = read_review(hub, candidate.name)
    if found is None:
        console.print(_("Older software made this candidate: nothing was noted for its approvers."))
        return
    rows = Table(title=_("Rows that were not used (for you alone; no reader sees this)"))
    for heading in (_("contributor"), _("read"), _("rejected"), _("share")):
        rows.add_column(heading, justify="left" if heading == _("contributor") else "right")
    for contributor, (rejected, read) in found[0].rejected.items():
        share = percent(rejected / read) if read else "–"
        rows.add_row(escape(contributor), number(read), number(rejected), share)
    console.print(rows)
    for told in found[0].told_of_rules:
        console.print(escape(said(told)))
    if not found[0].alarms:
        console.print(_("No alarm was raised."))
        return
    alarms = Table(title=_("Alarms (for you alone)"))
    for heading in (_("contributor"), _("delivery"), _("alarm"), _("counted"), _("accepted")):
        alarms.add_column(heading, overflow="fold")
    for alarm in found[0].alarms:
        counted = _("{n} of {of}").format(n=number(alarm.n), of=number(alarm.of))
        why = alarm.reason or _("in the mapping, without a reason")
        accepted = why if alarm.accepted else _("only by the person who let the charge be made")
        alarms.add_row(
            *(
                escape(printable(t, 500))
                for t in (alarm.contributor, alarm.date, alarm.entry, counted, accepted)
            )
        )
    console.print(alarms)


def warning_of_withdrawals() -> str:
    """What is said to whoever writes or approves such a note."""
    return _(
        "Warning: the note seems to say that people withdrew. Readers of a release must not learn "
        "that: it could point to individuals. Take it out of the note, unless an organisation left."
    )


def _measured(manifest: Manifest) -> list[tuple[str, str]]:
    """What is published beside shown counts, in the words of the privacy officer."""
    told = _(
        "{n} noisy counts of groups whose total is shown, for statistics; some are of few "
        "people, and all are covered by the guarantee"
    )
    rows = [(_("counts by year"), told.format(n=number(manifest.measurements.rows)))]
    if (found := manifest.sources) is None:
        return rows
    if found.contributors:
        told = _("noisy counts by year are published under the names of: {names}").format(
            names=", ".join(found.contributors)
        )
        rows.append((_("counts by contributor"), told))
    if found.lists:
        told = _("noisy counts are published of how these lists overlap: {names}").format(
            names=", ".join(found.lists)
        )
        rows.append((_("overlap of lists"), told))
    share = _("{share} of this release's budget").format(share=percent(found.share))
    return [*rows, (_("share of the budget used for contributor counts and list overlaps"), share)]


def show_candidate(hub: Hub) -> None:
    """What ``check`` says of approvers' keys and of the candidate that waits, if there is one.

    Raises:
        HubError: the keys in hub.yaml are not those that were signed, or a file is damaged.
    """
    from ctdhub.build.approvers import refuse_unsigned
    from ctdhub.build.versions import waiting_version

    if hub.settings.approvers is not None:
        refuse_unsigned(hub)
    if (version := waiting_version(hub)) is not None:
        show_waiting(hub, version)


def show_waiting(hub: Hub, version: str) -> None:
    """What stands between a candidate and its publication."""
    from datetime import UTC, datetime

    from ctdhub.build.may_publish import publication
    from ctdhub.release.approvers import ROLE_NAMES

    given = publication(hub, hub.candidates / version, datetime.now(UTC))
    for hold in given.holds:
        text = (
            _("The {role} refused {version} on {date}: {reason}")
            if hold.refused
            else _("The {role} holds {version} back since {date}: {reason}")
        )
        console.print(
            escape(
                text.format(
                    role=said(ROLE_NAMES[hold.role]),
                    version=version,
                    date=stamped(hold.date[:10]),
                    reason=printable(hold.reason, 1_000),
                )
            )
        )
    if not given.missing:
        show_approved(hub, version, given)
        return
    missing = _(", ").join(said(ROLE_NAMES[role]) for role in given.missing)
    place = f"candidates/{version}"
    if hub.settings.approvers is None:
        console.print(
            _(
                "Release {version} is finished and waits in {place}; nothing is published before "
                "two people approve it, and hub.yaml names no approvers. Next: the steward and the "
                "privacy officer each run `ctdhub key new --out FILE`; write both public keys "
                "under approvers in hub.yaml; then `ctdhub approve`."
            ).format(version=version, place=place)
        )
        return
    console.print(
        _("Release {version} waits in {place} for the approval of: {roles}.").format(
            version=version, place=place, roles=missing
        )
    )
    for role in given.missing:
        console.print(
            _("Next: ctdhub approve {hub} --role {role} --key FILE").format(
                hub=escape(str(hub.root)), role=role
            )
        )


def show_approved(hub: Hub, version: str, here: Publication) -> None:
    """What a candidate waits for that both have approved."""
    if here.opens is not None and here.state != "due":
        console.print(
            _("Release {version} is approved, not yet published. First day: {day} (UTC).").format(
                version=version, day=here.opens.date().isoformat()
            )
        )
    else:
        console.print(
            _("Release {version} is approved, not yet published.").format(version=version)
        )
    if here.state in ("due", "scheduled"):
        console.print(
            _("Next: `ctdhub build {hub}` publishes it from that day on.").format(
                hub=escape(str(hub.root))
            )
        )
