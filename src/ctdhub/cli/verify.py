"""Verbs of a published version: verify, correct, reissue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ctdhub.cli import options
from ctdhub.cli.approve import open_key, role_name, warn_of_withdrawals
from ctdhub.cli.output import say, show_exactly, show_table
from ctdhub.core.errors import error, printable
from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, _, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctdhub.core.keys.signing import SigningKey
    from ctdhub.hub.folder import Hub
    from ctdhub.release.approvals import Approval, Approvers, Role
    from ctdhub.release.errata import Erratum
    from ctdhub.release.verify import Problem


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
    from ctdhub.release.verify import digest, verify

    approvers, hub = approvers_near(release), options.hub_near(release)
    if hub:
        hub.withdrawal_lines()  # the register is whole
    problems = verify(release, approvers, _ledger_lines(hub))
    if not (problems := [*problems, *cards_near(release, hub)]):
        say(_("The release {version} is whole."), version=release.resolve().name)
        say(_("Its digest, to compare with the published one: {digest}"), digest=digest(release))
        show_approvals(release, approvers)
        known = errata_of(release, digest(release), approvers)
        show_errata(release, known.given, known.waiting)
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

    given = Approvals.read(release)
    if not given.approvals:
        say(_("Nobody has approved it."))
        return
    say(_("Approved by: {who}."), who=said(who(given)))
    if any(a.statement.practice for a in given.approvals):
        say(_("The approvals are for practice: the data are fictitious."))
    for approval in given.approvals:
        if approval.authenticator_data is not None:
            say(_passkey_of(approval))
    if given.opens is not None:
        say(_("Not to be published before {day} (UTC)."), day=given.opens.date().isoformat())
    if approvers is None:
        text = _(
            "There is no hub here: the signatures match the keys in the folder of the "
            "release. Compare these keys with those that the hub publishes."
        )
        say(text)
        for approval in given.approvals:
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
    told = erratum.notice
    what = _("withdrawn: not to be used") if told.sort == "withdrawn" else _("correction")
    rows = (
        (_("hub"), told.hub),
        (_("version"), told.version),
        (_("number of the notice"), str(told.number)),
        (_("kind"), what),
        (_("date"), told.date),
        (_("concerns"), _(", ").join(told.concerns) or _("the whole release")),
        *((_("note ({language})").format(language=code), text) for code, text in told.note.items()),
        (_("hash of SHA256SUMS"), told.digest),
    )
    shown = [(name, printable(value, 3_000)) for name, value in rows]
    show_table(_("Notice to be published"), ("", ""), shown)
    if told.practice:
        say(_("The data are fictitious: this approval is for practice."))


def show_signed(hub: Hub, erratum: Erratum) -> None:
    """Whether a notice is in force, and what comes next."""
    told = erratum.notice
    if not erratum.missing:
        text = _("Notice {n} about release {version} is signed by two people.")
        say(text, n=told.number, version=told.version)
        say(_("Next: `ctdhub build {hub}` shows it on the site."), hub=hub.root)
        return

    roles = _(", ").join(role_name(role) for role in erratum.missing)
    text = _("Notice {n} about release {version} waits for the approval of: {roles}.")
    say(text, n=told.number, version=told.version, roles=roles)
    for role in erratum.missing:
        text = _("Next: ctdhub approve {hub} --correction {version} --role {role} --key FILE")
        say(text, hub=hub.root, version=told.version, role=role)


def show_errata(release: Path, given: tuple[Erratum, ...], waiting: Erratum | None) -> None:
    """What ``verify`` says of the notices about a release."""
    from ctdhub.release.approvals import Approvals

    for erratum in given:
        told = erratum.notice
        text, _lang = told.text("en")
        line = (
            _("Withdrawn on {date} (notice {n}): {note}")
            if told.sort == "withdrawn"
            else _("Corrected on {date} (notice {n}): {note}")
        )
        say(line, date=told.date, n=told.number, note=printable(text, 2_000))
    own = {a.key for a in Approvals.read(release).approvals}
    if given and not {s.key for e in given for s in e.signatures} <= own:
        text = _(
            "A notice is signed with another key than the release. Compare it with the keys "
            "that the hub publishes."
        )
        say(text)
        for key in sorted({s.key for e in given for s in e.signatures} - own):
            show_exactly(key)
    if waiting is not None:
        n = waiting.notice.number
        say(_("Notice {n} is not signed by two people yet."), n=n)


def _notes(note: str, translations: list[str]) -> dict[str, str]:
    notes: dict[str, str] = {LANGUAGES[0]: note}
    for given in translations:
        code, _sign, text = given.partition("=")
        if code not in LANGUAGES or code in notes or not text.strip():
            raise error("erratum-language", text=printable(given, 40))
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
