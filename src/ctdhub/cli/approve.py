"""Verbs of a release: approve, hold, approvers, who is protected; verify, correct, reissue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ctdhub.cli import options
from ctdhub.cli.output import errors, say, show_document, show_exactly, show_table
from ctdhub.core.errors import error, printable
from ctdhub.core.format import decimal, exact, number, stamped, tiny
from ctdhub.core.format import share as percent
from ctdhub.core.i18n import LANGUAGES, _, said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ctdhub.core.keys.signing import SigningKey
    from ctdhub.dp.ledger.book import BudgetSplit
    from ctdhub.hub.approvers import Publication
    from ctdhub.hub.folder import Hub
    from ctdhub.hub.paid import Account
    from ctdhub.release.approvals import Approval, Approvers, KeyChange, Role, Statement
    from ctdhub.release.errata import Erratum
    from ctdhub.release.manifest import Manifest
    from ctdhub.release.open import Problem


# --------------------------------------------------------------------------------------------------
# The verb of approval: approve.


As = Literal["steward", "privacy_officer"]
"""The roles, which the command offers before the room of releases is loaded."""


def approve(
    role: Annotated[As, typer.Option()],
    key: options.NeededPath,
    folder: options.Folder = Path(),
    version: str = "",
    correction: Annotated[str, typer.Option(metavar="version")] = "",
    not_before: Annotated[str, typer.Option(metavar="date")] = "",
    yes: options.Yes = False,
) -> None:
    """The verb ``approve``."""
    from ctdhub.desk.worker.answers.releases import difference
    from ctdhub.document.document import from_json
    from ctdhub.hub.folder import policy
    from ctdhub.hub.paid import Account, budget_split, ledger
    from ctdhub.hub.stages import publish as approve_stage

    hub = options.hub(folder)
    if correction:
        others = {"--version": version, "--not-before": not_before}
        options.refuse_beside("--correction", others, "approve")
        approve_correction(hub, correction, role, key, yes=yes)
        return
    candidate = approve_stage.waiting(hub, version)
    day = read_day(not_before) if not_before else None
    statement, manifest = approve_stage.statement(hub, candidate, role, day)
    rules = policy(hub)
    split = budget_split(hub, rules)
    show_statement(hub, statement, manifest, Account.of(ledger(hub), rules, split), split)
    show_document(from_json(difference(hub, candidate.name, reviewed=True)["document"]))
    show_reports(hub)
    options.require_yes(_("Sign this?"), _("Nothing was signed."), yes=yes)
    release = approve_stage.approve(hub, candidate, statement, open_key(key))
    if release is None:
        show_waiting(hub, candidate.name)
        return
    say(_("Published release {version}."), version=release.name)
    say(_("Next: `ctdhub build {hub}` makes its site."), hub=folder)


def read_day(text: str) -> date:
    """A day as a person writes it.

    Raises:
        HubError: it is none.
    """
    from datetime import date

    from ctdhub.core.errors import error

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise error("not-before") from None


def open_key(file: Path) -> SigningKey:
    """Read a private key, asking for its passphrase where it has one."""
    from ctdhub.core.keys.signing import is_encrypted, read_key

    secret = typer.prompt(_("Passphrase"), hide_input=True) if is_encrypted(file) else ""
    return read_key(file, secret)


def role_name(role: Role) -> str:
    """What a role is called."""
    from ctdhub.release.approvals import ROLE_NAMES

    return said(ROLE_NAMES[role])


def show_statement(
    hub: Hub, statement: Statement, manifest: Manifest, account: Account, split: BudgetSplit
) -> None:
    """Everything that a person signs, before he signs."""
    from ctdhub.dp.ledger.file import purpose_text
    from ctdhub.release.open import open_release
    from ctdhub.report.sentences import headline_of

    people = headline_of(open_release(hub.candidates / statement.version))
    tables = sum(1 for table in manifest.sigma if table)
    charge = next(e for e in account.entries if e.id == statement.charge)
    guarantee = _("epsilon {epsilon}, delta {delta}").format(
        epsilon=exact(statement.guarantee.epsilon), delta=tiny(statement.guarantee.delta)
    )
    paid = _("number {n} of the ledger, {time}: {what}").format(
        n=charge.number, time=stamped(charge.time), what=said(purpose_text(charge.what))
    )
    spent = _("All releases together: epsilon {spent} of {budget} at delta {delta}.").format(
        spent=decimal(account.spent, "#,##0.000"),
        budget=exact(account.budget),
        delta=tiny(account.delta),
    )
    bought = _("{more} more after this one, with {share} of the budget kept for drafts").format(
        more=number(max(0, split.more(charge.rho) - 1)), share=percent(split.reserve / split.budget)
    )
    rows = (
        (_("hub"), statement.hub),
        (_("version"), statement.version),
        (_("signed as"), role_name(statement.role)),
        (_("guarantee"), guarantee),
        *rows_of_statement(hub, manifest),
        (_("why it is weaker than usual"), str(manifest.facts.get("promise_reason", ""))),
        (_("people"), people),
        (_("tables"), number(tables)),
        *_measured(manifest),
        (_("charge"), paid),
        (_("spent to date"), spent),
        (_("versions that the budget buys at this price"), bought),
        (_("hash of that line of the ledger"), statement.ledger.hash),
        (_("hash of SHA256SUMS"), statement.digest),
        (_("hash of the review"), statement.review),
        (_("hash of note, changes and alarms"), statement.changes),
        (_("hash of the desk's last event"), statement.trail),
        (_("published not before"), statement.not_before or _("at once, with the second approval")),
    )
    shown = [(name, printable(value, 600)) for name, value in rows if value]
    show_table(_("To be approved"), ("", ""), shown)
    if statement.practice:
        say(_("The data are fictitious: this approval is for practice."))


def show_reports(hub: Hub) -> None:
    """Say what is reported and not answered, and what the steward passed and why."""
    from ctdhub.hub.withdrawals import waiting_words

    for words in waiting_words(hub):
        say(said(words))


def warn_of_withdrawals(*notes: str) -> None:
    """Warn whoever writes or approves a note that seems to say that people withdrew."""
    from ctdhub.release.changes import tells_of_withdrawals

    text = _(
        "Warning: the note seems to say that people withdrew. Readers of a release must not learn "
        "that: it could point to individuals. Take it out of the note, unless an organisation left."
    )
    if any(map(tells_of_withdrawals, notes)):
        say(text, to=errors)


def _measured(manifest: Manifest) -> list[tuple[str, str]]:
    """What is published beside shown counts, in the words of the privacy officer."""
    text = _(
        "{n} noisy counts of groups whose total is shown, for statistics; some are of few "
        "people, and all are covered by the guarantee"
    )
    rows = [(_("counts by year"), text.format(n=number(manifest.measurements.rows)))]
    if (sources := manifest.sources) is None:
        return rows
    if sources.contributors:
        text = _("noisy counts by year are published under the names of: {names}").format(
            names=", ".join(sources.contributors)
        )
        rows.append((_("counts by contributor"), text))
    if sources.lists:
        text = _("noisy counts are published of how these lists overlap: {names}").format(
            names=", ".join(sources.lists)
        )
        rows.append((_("overlap of lists"), text))
    share = _("{share} of this release's budget").format(share=percent(sources.share))
    return [*rows, (_("share of the budget used for contributor counts and list overlaps"), share)]


def show_candidate(hub: Hub) -> None:
    """What ``check`` says of approvers' keys and of the candidate that waits, if there is one.

    Raises:
        HubError: the keys in hub.yaml are not those that were signed, or a file is damaged.
    """
    from ctdhub.hub.approvers import refuse_unsigned
    from ctdhub.hub.folder import waiting_version

    if hub.settings.approvers is not None:
        refuse_unsigned(hub)
    if (version := waiting_version(hub)) is not None:
        show_waiting(hub, version)


def show_waiting(hub: Hub, version: str) -> None:
    """What stands between a candidate and its publication."""
    from datetime import UTC, datetime

    from ctdhub.hub.approvers import publication

    status = publication(hub, hub.candidates / version, datetime.now(UTC))
    show_reports(hub)
    for hold in status.holds:
        text = (
            _("The {role} refused {version} on {date}: {reason}")
            if hold.refused
            else _("The {role} holds {version} back since {date}: {reason}")
        )
        say(
            text,
            role=role_name(hold.role),
            version=version,
            date=stamped(hold.date[:10]),
            reason=printable(hold.reason, 1_000),
        )
    if not status.missing:
        show_approved(hub, version, status)
        return
    missing = _(", ").join(role_name(role) for role in status.missing)
    place = f"candidates/{version}"
    if hub.settings.approvers is None:
        text = _(
            "Release {version} is finished and waits in {place}; nothing is published before "
            "two people approve it, and hub.yaml names no approvers. Next: the steward and the "
            "privacy officer each run `ctdhub key new --out FILE`; write both public keys "
            "under approvers in hub.yaml; then `ctdhub approve`."
        )
        say(text, version=version, place=place)
        return
    text = _("Release {version} waits in {place} for the approval of: {roles}.")
    say(text, version=version, place=place, roles=missing)
    for role in status.missing:
        say(_("Next: ctdhub approve {hub} --role {role} --key FILE"), hub=hub.root, role=role)


def show_approved(hub: Hub, version: str, here: Publication) -> None:
    """What a candidate waits for that both have approved."""
    if here.opens is not None and here.state != "due":
        text = _("Release {version} is approved, not yet published. First day: {day} (UTC).")
        say(text, version=version, day=here.opens.date().isoformat())
    else:
        say(_("Release {version} is approved, not yet published."), version=version)
    if here.state in ("due", "scheduled"):
        say(_("Next: `ctdhub build {hub}` publishes it from that day on."), hub=hub.root)


# --------------------------------------------------------------------------------------------------
# The verbs that go with approval: hold, approvers.


def hold(
    role: Annotated[As, typer.Option()],
    folder: options.Folder = Path(),
    version: Annotated[str, typer.Argument()] = "",
    reason: str = "",
    refuse: Annotated[bool, typer.Option("--refuse")] = False,
    lift: Annotated[bool, typer.Option("--lift")] = False,
    key: Path | None = None,
) -> None:
    """The verb ``hold``."""
    from ctdhub.hub import approvers as may_publish
    from ctdhub.hub.stages.publish import waiting

    if lift:
        options.refuse_beside("--lift", {"--reason": reason, "--refuse": refuse}, "hold")
    elif key is not None:
        raise error("usage/goes-with", name="--key", other="--lift")
    hub = options.hub(folder)
    candidate = waiting(hub, version)
    if lift:
        from ctdhub.release.approvals import Mark, SignedLift

        statement = may_publish.to_lift(hub, candidate, role)
        if key is None:
            raise error("hold/key")
        mark = Mark.of(statement.message(), open_key(key))
        may_publish.lift(hub, candidate, SignedLift(lift=statement, **mark.model_dump()))
    else:
        may_publish.hold(hub, candidate, role, reason, refuse=refuse)
    show_waiting(hub, candidate.name)


def approvers(
    folder: options.Folder = Path(),
    role: As | None = None,
    key: Path | None = None,
    reason: str = "",
    signed_by: Annotated[str, typer.Option(metavar="key")] = "",
    yes: options.Yes = False,
) -> None:
    """The verb ``approvers``."""
    from ctdhub.hub import approvers as keys

    signing = {"--role": role, "--key": key, "--reason": reason}
    if signed_by:
        options.refuse_beside("--signed-by", signing, "approvers")
    elif any(signing.values()) and (missing := [o for o in ("--role", "--key") if not signing[o]]):
        raise error("usage/missing", name=", ".join(missing), command="ctdhub approvers")
    hub = options.hub(folder)
    if signed_by:
        for version, digest in keys.statements_of(hub, signed_by):
            show_exactly(f"{digest}  {version}")
        return
    show_keys(keys.approvers(hub))
    waits = keys.pending(hub)
    if role is None or key is None:
        if waits is not None:
            keys.refuse_unsigned(hub)
        return
    change = keys.change_to_sign(hub, role, reason)
    show_change(change)
    options.require_yes(_("Sign this?"), _("Nothing was signed."), yes=yes)
    keys.sign_change(hub, change, open_key(key))
    say(_("The change of approvers is signed: line {n}."), n=change.number)


def show_keys(people: Approvers) -> None:
    """The keys of both people, each with the digits to compare."""
    from ctdhub.release.approvals import ROLES, fingerprint

    rows = [(role_name(r), fingerprint(key), key) for r in ROLES for key in people.keys(r)]
    show_table(_("Keys of the approvers"), (_("role"), _("read aloud"), _("key")), rows)


def show_change(change: KeyChange) -> None:
    """What an approver signs about the other's keys."""
    from ctdhub.release.approvals import ROLES, fingerprint

    rows = []
    for role in ROLES:
        was, now = change.was.keys(role), change.now.keys(role)
        for key in dict.fromkeys((*was, *now)):
            what = _("stays") if key in was and key in now else _("new")
            what = what if key in now else _("no longer signs")
            rows.append((role_name(role), what, fingerprint(key), key))
    for old in change.now.gone:
        if old in change.was.gone:
            continue
        what = _("earlier signatures stay valid")
        if old.statements is not None:
            what = _("{n} earlier signatures stay valid").format(n=number(len(old.statements)))
        rows.append((_("former"), what, fingerprint(old.key), printable(old.key, 500)))
    head = (_("role"), _("what happens"), _("read aloud"), _("key"))
    show_table(_("Change of approvers, to be signed"), head, rows)
    for name, was_, now_ in (
        (_("devices"), change.was.devices, change.now.devices),
        (_("RSA passkeys"), *(_("yes") if x.rs256 else _("no") for x in (change.was, change.now))),
    ):
        if was_ != now_:
            say(_("{what}: {was} becomes {now}"), what=name, was=was_, now=now_)
    say(_("Reason: {reason}"), reason=printable(change.reason, 300))


# --------------------------------------------------------------------------------------------------
# Who is protected, for how many rows of one person, and what a person with more is promised.


def show_unit(unit: str, rows: int, promised: Sequence[tuple[float, float]]) -> None:
    """Print the unit, and epsilon of a person by the number of rows.

    Args:
        unit: as a plan has it.
        rows: the most rows of one person that noise is for.
        promised: epsilon and delta of each release that is considered.
    """
    from ctdhub.dp.accounting import rho_of
    from ctdhub.dp.plan import epsilon_by_rows
    from ctdhub.report.wording import epsilon_words, noise_is_for, unit_words, with_more_rows

    say(_("Unit of protection: {unit}."), unit=said(unit_words(unit, rows)))
    say(said(noise_is_for(rows)))
    each = [epsilon_by_rows(rho_of(epsilon, delta), delta, rows) for epsilon, delta in promised]
    if len(each) == 1:
        say(said(with_more_rows(each[0])))
        return
    heads = [_("epsilon {epsilon}").format(epsilon=exact(epsilon)) for epsilon, _d in promised]
    by_rows = [(n, *(epsilon_words(epsilons[n]) for epsilons in each)) for n in each[0]]
    title = _("Epsilon of a person by the number of rows")
    show_table(title, (_("rows"), *heads), by_rows, right=0)


def rows_of_statement(hub: Hub, manifest: Manifest) -> list[tuple[str, str]]:
    """What the two people who approve are shown of the unit of a candidate."""
    from ctdhub.hub.folder import epsilon_since
    from ctdhub.report.wording import epsilon_words, sentences, unit_words

    promise = manifest.guarantee()
    shown = [(_("unit of protection"), said(unit_words(promise.unit, promise.rows)))]
    shown += [("", said(sentence)) for sentence in sentences(promise)]
    if (together := epsilon_since(hub, manifest)) is not None:
        words = _(
            "Earlier releases were paid for fewer rows of one person. A person with {n} rows in "
            "each of them has epsilon {epsilon} over all releases, this one included."
        ).format(n=number(promise.rows), epsilon=epsilon_words(together))
        shown.append((_("the bound grew"), words))
    return shown


# --------------------------------------------------------------------------------------------------
# What comparing releases tells of single contributors, for the steward and the privacy officer.


def show_disclosures(hub: Hub) -> None:
    """Print whose counts could be told by what would be released today, and what to do."""
    from ctdhub.hub.stages.differencing import TELL_THEM, disclosures_of

    disclosures = disclosures_of(hub)
    if not disclosures:
        return
    say(_("What a comparison of releases reveals:"))
    for one in disclosures:
        say(f"* {said(one.words)}")
    say(said(TELL_THEM))


# --------------------------------------------------------------------------------------------------
# Verbs of a published version: verify, correct, reissue.


# --------------------------------------------------------------------------------------------------
# The verb ``verify``.


def verify(releases: Annotated[list[Path], typer.Argument(metavar="release")]) -> None:
    """The verb ``verify``."""
    whole = [show_verified(release) for release in releases]
    if not all(whole):
        raise typer.Exit(2)


def show_verified(release: Path) -> bool:
    """Check a release and show what was found; gives whether it is whole."""
    from ctdhub.release.errata import errata_of
    from ctdhub.release.open import digest, verify

    approvers, hub = approvers_near(release), options.hub_near(release)
    if hub:
        hub.withdrawal_lines()  # the register is whole
    problems = verify(release, approvers, _ledger_lines(hub))
    if not (problems := [*problems, *cards_near(release, hub)]):
        say(_("The release {version} is whole."), version=release.resolve().name)
        say(_("Its digest, to compare with the published one: {digest}"), digest=digest(release))
        show_approvals(release, approvers)
        known = errata_of(release, digest(release), approvers)
        show_errata(release, known.notices, known.waiting)
        return True
    title = _("Errors of release {version}").format(version=release.resolve().name)
    rows = [(problem.kind, problem.file, said(problem.text)) for problem in problems]
    show_table(title, (_("kind"), _("file"), _("what is wrong")), rows)
    return False


def approvers_near(release: Path) -> Approvers | None:
    """The keys of the hub that a release or candidate lies in, None outside a hub."""
    hub = options.hub_near(release)
    return hub.settings.approvers if hub else None


def _ledger_lines(hub: Hub | None) -> Mapping[str, int] | None:
    """Number of each line of the hub's ledger by its hash, where a former key needs it."""
    from ctdhub.hub.paid import ledger

    keys = hub.settings.approvers if hub else None
    if hub is None or keys is None or not any(old.until for old in keys.gone):
        return None
    return {entry.hash: entry.number for entry in ledger(hub).entries()}


def cards_near(release: Path, hub: Hub | None) -> list[Problem]:
    """What was changed of the cards of a release, and of those that the site of its hub shows."""
    from ctdhub.hub.stages.site import noted_cards
    from ctdhub.site.cards import faults

    path = release.resolve()
    known = noted_cards(hub).get(path.name, ()) if hub else None
    return list(faults(path, known, path.parent.parent / "site" / "r" / path.name))


def show_approvals(release: Path, approvers: Approvers | None) -> None:
    """Who approved with what, and what that was compared with."""
    from ctdhub.release.approvals import Approvals, who

    approvals = Approvals.read(release)
    if not approvals.approvals:
        say(_("Nobody has approved it."))
        return
    say(_("Approved by: {who}."), who=said(who(approvals)))
    if any(a.statement.practice for a in approvals.approvals):
        say(_("The approvals are for practice: the data are fictitious."))
    for approval in approvals.approvals:
        if approval.authenticator_data is not None:
            say(_passkey_of(approval))
    if approvals.opens is not None:
        say(_("Not to be published before {day} (UTC)."), day=approvals.opens.date().isoformat())
    if approvers is None:
        text = _(
            "There is no hub here: the signatures match the keys in the folder of the "
            "release. Compare these keys with those that the hub publishes."
        )
        say(text)
        for approval in approvals.approvals:
            show_exactly(f"{role_name(approval.statement.role)}: {approval.key}")
    else:
        say(_("The signatures fit the keys in hub.yaml."))


def _passkey_of(approval: Approval) -> str:
    """What the device of one approver said of itself."""
    from ctdhub.release.passkey import Passkey

    passkey, role = Passkey.read(approval.key), role_name(approval.statement.role)
    text = _(
        "The {role} signed with a passkey on {host}; its device says that it cannot be copied."
    )
    if approval.synced:
        text = _("The {role} signed with a passkey on {host}; it can be copied to other devices.")
    return text.format(role=role, host=passkey.host if passkey else "-")


# --------------------------------------------------------------------------------------------------
# The verb ``correct``: a signed notice about a published version; and how one is shown.


def correct(
    folder: Path,
    version: str,
    note: options.Needed,
    translation: list[str] | None = None,
    withdraw: Annotated[bool, typer.Option("--withdraw")] = False,
    concerns: list[str] | None = None,
    yes: options.Yes = False,
) -> None:
    """The verb ``correct``."""
    from ctdhub.hub import errata

    hub = options.hub(folder)
    notes = _notes(note, translation or [])
    drafted = errata.draft(
        hub,
        version,
        notes,
        withdraw=withdraw,
        concerns=concerns or (),
        charts=_charts(hub, version) if concerns else (),
    )
    show_erratum(drafted)
    warn_of_withdrawals(*notes.values())
    options.require_yes(_("Write this notice?"), _("Nothing was written."), yes=yes)
    show_signed(hub, errata.begin(hub, drafted))


def approve_correction(hub: Hub, version: str, role: Role, key: Path, *, yes: bool) -> None:
    """Show the notice that waits, ask, and sign it."""
    from ctdhub.hub import errata

    seen = errata.waiting(hub, version)
    show_erratum(seen)
    warn_of_withdrawals(*seen.notice.note.values())
    options.require_yes(_("Sign this?"), _("Nothing was signed."), yes=yes)
    opened: SigningKey = open_key(key)
    show_signed(hub, errata.sign(hub, seen, role, opened))


def show_erratum(erratum: Erratum) -> None:
    """Everything that a person signs, before they sign."""
    from ctdhub.desk.worker.answers.releases import notice_rows

    notice = erratum.notice
    show_table(_("Notice to be published"), ("", ""), notice_rows(notice))
    if notice.practice:
        say(_("The data are fictitious: this approval is for practice."))


def show_signed(hub: Hub, erratum: Erratum) -> None:
    """Whether a notice is in force, and what comes next."""
    notice = erratum.notice
    if not erratum.missing:
        text = _("Notice {n} about release {version} is signed by two people.")
        say(text, n=notice.number, version=notice.version)
        say(_("Next: `ctdhub build {hub}` shows it on the site."), hub=hub.root)
        return

    roles = _(", ").join(role_name(role) for role in erratum.missing)
    text = _("Notice {n} about release {version} waits for the approval of: {roles}.")
    say(text, n=notice.number, version=notice.version, roles=roles)
    for role in erratum.missing:
        text = _("Next: ctdhub approve {hub} --correction {version} --role {role} --key FILE")
        say(text, hub=hub.root, version=notice.version, role=role)


def show_errata(release: Path, notices: tuple[Erratum, ...], waiting: Erratum | None) -> None:
    """What ``verify`` says of the notices about a release."""
    from ctdhub.release.approvals import Approvals

    for erratum in notices:
        notice = erratum.notice
        text, _lang = notice.text("en")
        line = (
            _("Withdrawn on {date} (notice {n}): {note}")
            if notice.sort == "withdrawn"
            else _("Corrected on {date} (notice {n}): {note}")
        )
        say(line, date=notice.date, n=notice.number, note=printable(text, 2_000))
    own = {a.key for a in Approvals.read(release).approvals}
    if notices and not {s.key for e in notices for s in e.signatures} <= own:
        text = _(
            "A notice is signed with another key than the release. Compare it with the keys "
            "that the hub publishes."
        )
        say(text)
        for key in sorted({s.key for e in notices for s in e.signatures} - own):
            show_exactly(key)
    if waiting is not None:
        n = waiting.notice.number
        say(_("Notice {n} is not signed by two people yet."), n=n)


def _notes(note: str, translations: list[str]) -> dict[str, str]:
    notes: dict[str, str] = {LANGUAGES[0]: note}
    for translation in translations:
        code, _sign, text = translation.partition("=")
        if code not in LANGUAGES or code in notes or not text.strip():
            raise error("erratum-language", text=printable(translation, 40))
        notes[code] = text
    return notes


def _charts(hub: Hub, version: str) -> set[str]:
    """Names of the charts that pages about a release show."""
    from ctdhub.hub.errata import published
    from ctdhub.report.figures import figures
    from ctdhub.stats.answers import Answers

    return {figure.file for figure in figures(Answers(published(hub, version)))}


# --------------------------------------------------------------------------------------------------
# The verb ``reissue``.


def reissue(folder: Path, version: str, out: options.NeededPath) -> None:
    """The verb ``reissue``."""
    from ctdhub.hub.errata import reissue as copied

    n = copied(options.hub(folder), version, out)
    text = _("Copied {n} files of release {version} to {folder}, unchanged. Nothing was charged.")
    say(text, n=number(n), version=version, folder=out)
