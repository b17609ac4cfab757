"""Candidates on their way to publication, what a person would sign, and whose keys count."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ctdhub.build import approvers as keys
from ctdhub.build import may_publish
from ctdhub.build.hub import Hub
from ctdhub.build.may_publish import Publication, publication
from ctdhub.build.paid import ledger
from ctdhub.build.rules import policy
from ctdhub.build.stages.approve import statement
from ctdhub.build.versions import by_version
from ctdhub.core.error_catalogue import as_json, error
from ctdhub.core.errors import HubError, printable
from ctdhub.core.format import day, decimal, exact, isolated, number, tiny
from ctdhub.core.i18n import _, said
from ctdhub.desk.worker.answers.page import answered, name, section, table, words
from ctdhub.document.document import Block
from ctdhub.release.approvals import Approvals
from ctdhub.release.approvers import ROLE_NAMES, ROLES, Approvers, Role, fingerprint
from ctdhub.release.passkey import is_passkey
from ctdhub.release.verify import digest, examine


def state_words(here: Publication) -> str:
    """Where a candidate is, in a few words."""
    roles = ", ".join(said(ROLE_NAMES[role]) for role in here.missing)
    if here.state in ("built", "approved by one"):
        return _("waits for: {roles}").format(roles=roles)
    if here.state == "scheduled" and here.opens:
        return _("approved, not yet published: on {day}").format(day=day(here.opens.date()))
    return {
        "held": _("held back"),
        "refused": _("refused"),
        "due": _("approved, not yet published"),
    }[here.state]


def candidates(hub: Hub) -> dict[str, Any]:
    """Every candidate and where it is."""
    now, rows, given = datetime.now(UTC), [], []
    for candidate in by_version(hub.candidates):
        here = publication(hub, candidate, now)
        rows.append((isolated(candidate.name), state_words(here)))
        missing = list(here.missing) if here.state in ("built", "approved by one") else []
        given.append({"version": candidate.name, "state": here.state, "missing": missing})
    lead = () if rows else (_("No candidate waits for approval."),)
    found = table("", (_("version"), _("state")), rows, words=True) if rows else None
    return answered(
        hub, _("Approvals"), lead, (section("candidates", "", found),), {"candidates": given}
    )


def candidate(hub: Hub, version: str) -> dict[str, Any]:
    """What one approves, and where it is.

    Raises:
        ReleaseError: there is no such candidate.
        LedgerTampered: the ledger was changed.
    """
    place = _candidate(hub, version)
    here = publication(hub, place, datetime.now(UTC))
    given = {
        "version": version,
        "state": here.state,
        "missing": list(here.missing),
        "opens": here.opens.date().isoformat() if here.opens else "",
        "holds": [{"role": h.role, "refused": h.refused is not None} for h in here.holds],
    }
    sections = (
        section("promise", _("What you approve"), _facts(hub, place)),
        section("held", _("Held back or refused"), _holds(here)) if here.holds else None,
        section("signed", _("Approved so far"), _signed(place)),
    )
    title = _("Approve {version}").format(version=isolated(printable(version)))
    return answered(hub, title, (state_words(here),), [s for s in sections if s], given)


def to_sign(hub: Hub, version: str, role: Role, not_before: str) -> dict[str, Any]:
    """The statement of a role about a candidate now, as the signing page takes it.

    Args:
        not_before: a day, or empty for at once.

    Raises:
        HubError: it may not be approved; the day is none.
    """
    try:
        first = date.fromisoformat(not_before) if not_before else None
    except ValueError:
        raise error("not-before") from None
    made, _manifest = statement(hub, _candidate(hub, version), role, first)
    return _to_sign(made.message(), keys.approvers(hub).keys(role))


def lift_to_sign(hub: Hub, version: str, role: Role) -> dict[str, Any]:
    """What takes the hold of a role back, as the signing page takes it.

    Raises:
        HubError: the role does not hold the candidate back.
    """
    told = may_publish.to_lift(hub, _candidate(hub, version), role)
    return _to_sign(told.message(), keys.approvers(hub).keys(role))


def change_to_sign(hub: Hub, role: Role, reason: str) -> dict[str, Any]:
    """The change of keys that hub.yaml makes, for a role whose own keys stay.

    Raises:
        HubError: there is none, or not for this role.
    """
    told = keys.change_to_sign(hub, role, reason)
    return _to_sign(told.message(), told.was.keys(role))


def approvers(hub: Hub) -> dict[str, Any]:
    """Whose keys count, and what waits to be signed."""
    found, waits, wrong = hub.settings.approvers, None, None
    if found is not None:
        try:
            waits = keys.pending(hub)
        except HubError as met:
            wrong = met
    blocks: list[Block] = [_keys(found)] if found else [words(_("hub.yaml names no approvers."))]
    lead = []
    if wrong is not None:
        lead = [said(wrong.fault), said(wrong.remedy)]
    elif waits is not None:
        lead = [
            _(
                "hub.yaml names other keys than the last signed release. Nothing is published "
                "until the approver whose own keys stay the same has signed the change."
            )
        ]
    given = {
        "keys": {role: list(found.keys(role)) for role in ROLES} if found else {},
        "rs256": bool(found and found.rs256),
        "sign": [r for r in ROLES if waits and waits.was.keys(r) == waits.now.keys(r)],
        "error": as_json(wrong) if wrong else None,
    }
    shown = [section("keys", _("Keys in hub.yaml"), *blocks)]
    if waits is not None:
        shown.append(section("was", _("Keys that were signed"), _keys(waits.was)))
    return answered(hub, _("Approvers"), lead, shown, given)


def _candidate(hub: Hub, version: str) -> Path:
    for found in by_version(hub.candidates):
        if found.name == version:
            return found
    raise error("no-candidate", file=hub.candidates / printable(version))


def _to_sign(message: bytes, mine: tuple[str, ...]) -> dict[str, Any]:
    text = base64.urlsafe_b64encode(message).rstrip(b"=").decode()
    seen = hashlib.sha256(message).hexdigest()
    return {"given": {"statement": text, "digest": seen, "keys": list(mine)}}


def _facts(hub: Hub, place: Path) -> Any:
    manifest, problems = examine(place, hub.settings.approvers)
    if manifest is None or problems:
        text = said(problems[0].text)
        return words(_("The candidate is damaged: {fault}").format(fault=text))
    rules, book = policy(hub), ledger(hub)
    paid = next(e for e in book.entries() if e.id == manifest.charge)
    spent = book.guarantee(rules.delta)
    left = book.left(rules.budget.epsilon, rules.delta)
    people = manifest.people
    guarantee = _("epsilon {epsilon}, delta {delta}")
    interval = _("{value} ({low} to {high})")
    account = _("epsilon {spent} of {budget}; left for one more: {left}")
    rows = [
        (
            _("guarantee"),
            guarantee.format(epsilon=exact(manifest.epsilon), delta=tiny(manifest.delta)),
        ),
        (
            _("people"),
            interval.format(
                value=number(people.value), low=number(people.low), high=number(people.high)
            ),
        ),
        (_("charge"), isolated(f"{paid.time[:16].replace('T', ' ')} UTC, {paid.hash[:16]}")),
        (
            _("spent to date"),
            account.format(
                spent=decimal(spent, "#,##0.000"),
                budget=exact(rules.budget.epsilon),
                left=decimal(left, "#,##0.000"),
            ),
        ),
        (_("hash of all files"), isolated(digest(place))),
    ]
    return table("", (), rows, words=True)


def _holds(here: Publication) -> Any:
    rows = [
        (
            said(ROLE_NAMES[hold.role]),
            _("refused") if hold.refused else _("held back"),
            isolated(hold.date[:10]),
            name(hold.reason, 1_000),
        )
        for hold in here.holds
    ]
    return table("", (_("role"), _("state"), _("date"), _("reason")), rows, words=True)


def _signed(place: Path) -> Any:
    given = Approvals.read(place).approvals
    if not given:
        return words(_("Nobody has approved it."))
    rows = [
        (
            said(ROLE_NAMES[one.statement.role]),
            isolated(one.statement.date.replace("T", " ").replace("Z", " UTC")),
            isolated(one.statement.not_before or "–"),
            _kind(one.key),
        )
        for one in given
    ]
    head = (_("role"), _("time"), _("published not before"), _("with"))
    return table("", head, rows, words=True)


def _keys(found: Approvers) -> Any:
    rows = [
        (said(ROLE_NAMES[role]), isolated(fingerprint(key)), _kind(key), isolated(key))
        for role in ROLES
        for key in found.keys(role)
    ]
    head = (_("role"), _("read aloud"), _("kind"), _("key"))
    note = (
        _("Passkeys that can be copied to other devices are refused.")
        if found.devices == "bound"
        else ""
    )
    return table("", head, rows, note=note, words=True)


def _kind(key: str) -> str:
    return _("passkey") if is_passkey(key) else _("key file")
