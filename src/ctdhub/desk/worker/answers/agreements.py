"""Agreements and papers, as a role may see them."""

import base64
import hashlib
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from ctdhub.core.errors import PolicyError, error, printable
from ctdhub.core.format import day, decimal, exact, isolated, listed, number, span
from ctdhub.core.i18n import _, current, ngettext
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import read_key
from ctdhub.desk.deliveries import due_on
from ctdhub.desk.worker.answers.page import Page, days, name, table, today, words
from ctdhub.desk.worker.identities import CARDS, has_hub_keys, identity_folder
from ctdhub.document.document import to_json
from ctdhub.hub.agreements import Force, force_of, hash_of_agreement, paper_facts
from ctdhub.hub.folder import SOURCE_KINDS, Agreement, Hub
from ctdhub.hub.paid import ledger
from ctdhub.hub.receive_bundle import hub_card, sender_of
from ctdhub.report.papers import PAPERS, paper
from ctdhub.report.wording import called
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import CONTRIBUTOR_KIND
from ctdhub.sensitive.bundle.pack import card_bytes, key_print, parse_key_file

# --------------------------------------------------------------------------------------------------
# Agreements: all of them, and one with its settings, its force and what was sent under it.

TEXTS = ("purpose", "scope", "legal_basis", "consent_rule", "retention", "display_rule")
"""Settings that are sentences."""
TERMS = ("name", "names", "kind", "show_counts", "keep_months", "rows_per_person", "budget_limit")
"""Others that the form of an agreement shows as they are."""


def agreements(hub: Hub) -> dict[str, Any]:
    """Every agreement, with its last day and what was sent."""
    sent = _sent(hub)
    entries = []
    for one in hub.agreements():
        own = sent.get(one.id, [])
        entry = {
            "id": one.id,
            "name": printable(called(one)),
            "kind": code_label(CONTRIBUTOR_KIND, one.kind, current()),
            "force": force_of(hub, one, today()),
            "ends": days(one.ends),
            "deliveries": number(len(set(own))),
            "newest": day(date.fromisoformat(max(own))) if own else _("nothing yet"),
        }
        entries.append(entry)
    ending = [one for one in entries if one["force"] in ("ends_soon", "ended")]
    lead = (
        ngettext(
            "{n} agreement has ended or ends within 60 days.",
            "{n} agreements have ended or end within 60 days.",
            len(ending),
        ).format(n=number(len(ending)))
        if ending
        else _("No agreement ends within 60 days.")
    )
    page = Page(hub, _("Agreements"), lead if entries else _("This hub has no agreement yet."))
    return page.answer(agreements=entries, kinds=kinds())


def agreement(hub: Hub, contributor: str, *, charges: bool) -> dict[str, Any]:
    """One agreement.

    Args:
        contributor: its id.
        charges: whether what is left of its own limit is shown; it tells of drafts too.

    Raises:
        PolicyError: the hub has no such contributor.
    """
    one, own = hub.agreement(contributor), sorted(set(_sent(hub).get(contributor, [])))
    force, base = force_of(hub, one, today()), hash_of_agreement(hub, one.id)
    page = Page(hub, printable(called(one)), _force_sentence(one, force))
    page.add("terms", _("What was agreed"), _terms(one))
    page.add("limits", _("Limits"), _limits(hub, one, charges))
    page.add("sent", _("Deliveries"), _deliveries(one, own))
    settings = {key: getattr(one, key) for key in (*TERMS, *TEXTS)}
    settings["ends"] = one.ends.isoformat() if one.ends else ""
    return page.answer(id=one.id, force=force, base=base, kinds=kinds(), settings=settings)


def kinds() -> list[list[str]]:
    """Kinds of contributors: code and name."""
    return [[code, code_label(CONTRIBUTOR_KIND, code, current())] for code in SOURCE_KINDS]


def force_words(force: Force) -> str:
    """Whether an agreement is in force, in a word or two."""
    return {
        "in_force": _("in force"),
        "ends_soon": _("ends soon"),
        "ended": _("ended"),
        "withdrawn": _("withdrawn"),
    }[force]


def _force_sentence(one: Agreement, force: Force) -> str:
    last = day(one.ends) if one.ends else ""
    return {
        "in_force": _("The agreement is in force until {day}.").format(day=last)
        if last
        else _("The agreement is in force and names no last day."),
        "ends_soon": _(
            "The agreement ends on {day}. After that day no build reads these files."
        ).format(day=last),
        "ended": _(
            "The agreement ended on {day}. No build runs until it is renewed or the contributor "
            "is withdrawn."
        ).format(day=last),
        "withdrawn": _("The contributor withdrew: its files are no longer read."),
    }[force]


def _terms(one: Agreement) -> Any:
    texts = [
        (_("purpose"), one.purpose),
        (_("scope"), one.scope),
        (_("legal basis"), one.legal_basis),
        (_("consent"), one.consent_rule),
        (_("retention"), one.retention),
        (_("how its data are shown"), one.display_rule),
    ]
    rows = [
        (_("name"), name(called(one), 200)),
        (_("kind"), code_label(CONTRIBUTOR_KIND, one.kind, current())),
        *((called, name(text, 2_000) if text else "–") for called, text in texts),
        (_("a file is erased after"), _months(one.keep_months)),
        (_("years"), span(one.years) if one.years else _("those of the hub")),
        (_("last day"), days(one.ends)),
    ]
    breaks = [
        (
            _("not comparable before"),
            f"{isolated(entry.date)}: " + listed([label(v, current()) for v in entry.variables]),
        )
        for entry in one.breaks
    ]
    return table((), [*rows, *breaks], words=True)


def _months(months: int | None) -> str:
    if months is None:
        return _("no number of months: by hand")
    return ngettext("{n} month", "{n} months", months).format(n=number(months))


def _limits(hub: Hub, one: Agreement, charges: bool) -> Any:
    limit = exact(one.budget_limit) if one.budget_limit else _("none of its own")
    rows = [
        (_("noisy counts under its own name"), _("yes") if one.show_counts else _("no")),
        (_("limit of epsilon in all"), limit),
    ]
    if charges and one.budget_limit:
        book = ledger(hub)
        left = book.left_of(one.id, book.strictest(1.0))
        rows.append((_("left of it"), decimal(left, "#,##0.000")))
    if one.rows_per_person:
        rows.append((_("most rows of one person"), number(one.rows_per_person)))
    return table((), rows, words=True)


def _deliveries(one: Agreement, own: list[str]) -> Any:
    kept = _("Retention as agreed: {text}").format(text=name(one.retention, 2_000))
    if not own:
        return words(_("Nothing was sent yet."), kept)
    sent = [date.fromisoformat(each) for each in own]
    first = _("Files are here since {day}.").format(day=day(sent[0]))
    rows = [(day(each), days(due_on(each, one.keep_months))) for each in reversed(sent)]
    head = (_("delivery"), _("erased on"))
    return table(head, rows, note=f"{first} {kept}", words=True)


def _sent(hub: Hub) -> dict[str, list[str]]:
    dates: dict[str, list[str]] = {}
    for one in hub.received():
        dates.setdefault(one.contributor, []).append(one.date)
    return dates


# --------------------------------------------------------------------------------------------------
# Keys of bundles: public halves and cards alone; private ones stay in the folder of keys.


def bundle_keys(hub: Hub, contributor: str) -> dict[str, Any]:
    """Whether the hub has keys, and of each agreement, or one, its card and its senders.

    Returns:
        ``given``: ``made``; ``lines``: of each agreement ``id``, ``name``, ``fingerprint`` and
        ``card`` (base64; "" without keys of the hub) and fingerprints of its ``senders``.

    Raises:
        PolicyError: there is no such contributor; an agreement that is asked for has faults.
    """
    signs, made = identity_folder(hub.root) / CARDS, has_hub_keys(hub)
    lines = []
    for one in [hub.agreement(contributor)] if contributor else hub.agreements():
        signed = hub_card(hub, one.id, read_key(signs)) if made else None
        line = {
            "id": one.id,
            "name": printable(called(one)),
            "fingerprint": signed.fingerprint if signed else "",
            "card": base64.b64encode(card_bytes(signed)).decode() if signed else "",
            "senders": [key_print(sender) for sender in one.senders],
        }
        lines.append(line)
    return {"given": {"made": made, "lines": lines}}


def sender_key(hub: Hub, contributor: str, content: str) -> dict[str, Any]:
    """The key in a file that a contributor hands in, and those with which it signs now.

    Returns:
        ``given``: ``fingerprint``; ``senders``: fingerprints of the keys that the agreement names.

    Raises:
        FileError: see :func:`ctdhub.hub.receive_bundle.sender_of`.
    """
    with suppress(PolicyError):  # another agreement has faults: the hub meets them as it confirms
        sender_of(hub, contributor, content.encode())
    key = parse_key_file(content.encode()).key
    senders = [key_print(sender) for sender in hub.agreement(contributor).senders]
    return {"given": {"fingerprint": key_print(key), "senders": senders}}


# --------------------------------------------------------------------------------------------------
# Papers: a draft from settings and agreements, and the bytes of one that was signed.


def paper_draft(hub: Hub, kind: str, contributor: str) -> dict[str, Any]:
    """A draft in the reader's language, and how many points a person must still decide.

    Args:
        kind: of :data:`ctdhub.report.papers.PAPERS`.
        contributor: whose agreement; "" for the other papers.

    Raises:
        DocumentError: the hub has no such contributor.
    """
    known = next((one for one in PAPERS if one == kind), None)
    if known is None:
        raise error("desk-ask", name="paper_draft")
    document, open_ = paper(known, paper_facts(hub), today(), contributor)
    return {"document": to_json(document), "given": {"open": len(open_)}}


def paper_file(hub: Hub, key: str, whose: str) -> dict[str, Any]:
    """A signed paper, opened; it is on the disk in clear for as long as that takes.

    Args:
        key: of its row, 32 hexadecimal digits.
        whose: id of the organisation that the row must be of, "" for a paper of the hub.

    Raises:
        HubError: there is no such paper of theirs (rule "no-paper"), or it was changed.
    """
    from ctdhub.desk.config import current
    from ctdhub.desk.models import Paper
    from ctdhub.desk.uploads.inbox import PaperDrawer
    from ctdhub.desk.worker.deliveries import CLEAR
    from ctdhub.desk.worker.identities import PAPERS as IDENTITY

    desk = current()
    try:
        row = Paper.objects.filter(id=UUID(hex=key)).first()
    except ValueError:
        row = None
    if row is None or (row.organisation_id or "") != whose:
        raise error("no-paper")
    place = PaperDrawer(desk.inbox).place(row.id.hex)
    if not place.is_file():
        raise error("no-paper")
    folder = hub.work / "desk"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=CLEAR, dir=folder) as private:
        clear = Path(private) / "paper"
        with place.open("rb") as sealed:
            age.decrypt(sealed, clear, [identity_folder(desk.hub) / IDENTITY])
        content = clear.read_bytes()
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise error("no-paper/changed")
    return {"given": {"content": base64.b64encode(content).decode("ascii")}}
