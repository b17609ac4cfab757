"""The privacy-budget ledger, the register and reports of withdrawals, as far as a role may see
them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

from ctdhub.core.errors import HubError, as_json, error, from_json, printable
from ctdhub.core.format import decimal, exact, isolated, number, share, tiny
from ctdhub.core.i18n import Text, _, current, said
from ctdhub.desk.worker.answers.page import Page, name, table, words
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.book import BudgetSplit
from ctdhub.dp.ledger.file import purpose_text
from ctdhub.hub import withdrawals as reports
from ctdhub.hub.find_person import ByWhat, CaseRow, read_files, unsearched
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.paid import Account, budget_split, check_paid, ledger, published
from ctdhub.report.wording import called
from ctdhub.schema.labels import code_label
from ctdhub.schema.model import AGE, SEX
from ctdhub.sensitive.bundle.leaving import MOST_CODES
from ctdhub.sensitive.consent.register import REASONS, Scope, Withdrawal, in_force, reported

# --------------------------------------------------------------------------------------------------
# Reports of withdrawals: taken, shown to the contributor that sent them, and listed for the hub.
#
# A contributor is told what its own files say, never what a report does elsewhere.

Fields = Mapping[str, Any]


def take_report(hub: Hub, request: Fields) -> dict[str, Any]:
    """Take a report, as numbers or as the signed file of a kit; gives its key."""
    scope, reason, by = (request.get(name) for name in ("scope", "reason", "what"))
    numbers, file = request.get("numbers"), request.get("file")
    if (
        scope not in get_args(Scope)
        or reason not in REASONS
        or by not in (None, *get_args(ByWhat))
        or not isinstance(numbers, list)
        or not all(isinstance(one, str) for one in numbers)
    ):
        raise error("desk-ask", name="tell")
    try:
        if isinstance(file, str) and file:
            key = reports.submit_file(hub, _id(request), file.encode())
        elif len(numbers) > MOST_CODES:
            raise error("told-numbers", n=MOST_CODES)
        else:
            ahead = request.get("ahead") is True
            key = reports.submit(
                hub, _id(request), cast("Scope", scope), reason, numbers, by, ahead=ahead
            )
    except HubError as met:  # a contributor is shown no name of a file of the hub
        if met.rule in ("no-number", "no-case", "told-numbers", "withdrawal-file"):
            raise from_json(as_json(met) | {"file": None}) from None
        from ctdhub.desk.worker.deliveries import stopped_as_kept  # this one is read before Django

        raise from_json(stopped_as_kept(met)) from None
    return {"given": {"key": key}}


def reports_of(hub: Hub, request: Fields) -> dict[str, Any]:
    """One report as its contributor sees it, with what it is asked."""
    one = reports.report_of(hub, str(request.get("key")), _id(request))
    questions = one.state == "asked" and not one.wants_file
    asked = [
        {"place": case.place, "rows": [case_row(row) for row in case.rows]}
        for case in (one.asked if questions else ())
    ]
    unknown = list(one.unknown) if questions and not one.ahead else []
    answer = {**_line(str(request["key"]), one), "asked": asked, "unknown": unknown}
    return {"given": answer | {"seen": one.digest}}


def report_rows(hub: Hub, request: Fields) -> dict[str, Any]:
    """Keep what the contributor answers."""
    unknown = request.get("unknown")
    try:
        chosen = {int(k): [int(at) for at in v] for k, v in dict(request["chosen"]).items()}
    except (KeyError, TypeError, ValueError):
        raise error("desk-ask", name="tell_rows") from None
    key, seen = str(request.get("key")), str(request.get("seen"))
    settled = next((one for one in ("ahead", "drop") if one == unknown), "")
    reports.answer(hub, key, _id(request), seen, chosen, settled)  # type: ignore[arg-type]
    return {"given": {"kept": True}}


def pass_report(hub: Hub, request: Fields) -> dict[str, Any]:
    """Let releases go on without an answer to what a contributor reported."""
    reports.pass_over(hub, _id(request), str(request.get("reason")))
    return {"given": {"passed": True}}


def take_back_report(hub: Hub, request: Fields) -> dict[str, Any]:
    """Take a report back."""
    reports.take_back_report(hub, str(request.get("key")), _id(request))
    return {"given": {"taken": True}}


def told_rows(hub: Hub, contributor: str = "") -> list[dict[str, Any]]:
    """All reports for a list: of one contributor, or of all with its name."""
    by_id = {one.id: printable(called(one)) for one in hub.agreements()}
    return [
        _line(key, one)
        | {
            "id": one.contributor,
            "name": "" if contributor else by_id.get(one.contributor, "–"),
            "passed": "" if contributor else one.passed,
        }
        for key, one in reports.reports(hub, contributor).items()
    ]


def ready_reports(hub: Hub) -> int:
    """How many wait for the steward."""
    return sum(one.state == "ready" for one in reports.reports(hub).values())


def _line(key: str, one: reports.WithdrawalReport) -> dict[str, Any]:
    return {
        "key": key,
        "scope": one.scope,
        "reason": one.reason,
        "state": one.state,
        "words": said(_STATES[one.state]),
        "numbers": len(one.numbers),
        "missed": one.missed,
        "wants_file": one.wants_file,
        "sent": one.sent[:10],
        "ended": one.ended[:10],
    }


_STATES: dict[reports.ReportState, Text] = {
    "sent": Text("records are looked for"),
    "asked": Text("the contributor must answer"),
    "ready": Text("waits for the steward"),
    "nothing_found": Text("no record found"),
    "done": Text("carried out"),
}


def case_row(one: CaseRow) -> list[str]:
    """A row of a case, as who must choose sees it: delivery, row, year, gender, age."""
    lang = current()
    coded = ((SEX, one.gender), (AGE, one.age))
    return [
        one.date,
        number(one.row),
        "–" if one.year is None else str(one.year),
        *("–" if code is None else code_label(name, code, lang) for name, code in coded),
    ]


def _id(request: Fields) -> str:
    """The contributor that asks; nobody else asks for a report.

    Raises:
        HubError: it is not named.
    """
    key = request.get("id")
    if not isinstance(key, str) or not key:
        raise error("desk-ask", name=printable(str(request.get("ask"))))
    return key


# --------------------------------------------------------------------------------------------------
# The privacy-budget ledger and the register of withdrawals, as far as a role may see them.


def ledger_page(hub: Hub) -> dict[str, Any]:
    """What was spent on what, and what is left; charges that were not published are among it.

    Raises:
        LedgerTampered: the ledger was changed.
    """
    check_paid(hub)
    title = _("Privacy-budget ledger")
    rules, book = policy(hub), ledger(hub)
    split = budget_split(hub, rules)
    account, versions = Account.of(book, rules, split), published(hub)
    charges = [
        (
            number(e.number),
            isolated(e.time[:10]),
            _("release"),
            said(purpose_text(e.what)),
            isolated(versions[e.id]) if e.id in versions else _("not published"),
            _epsilon(e.epsilon),
            tiny(e.delta),
        )
        for e in account.entries
    ]
    head = (
        "", _("day"), _("kind"), _("what for"), _("published as"), _("epsilon"), _("delta"),
    )  # fmt: skip
    kinds = [(_("release"), number(k.charges), _epsilon(k.epsilon)) for k in account.kinds]
    limits = [
        (
            name(c.name),
            _epsilon(c.epsilon),
            exact(c.limit) if c.limit is not None else _("none of its own"),
            _epsilon(c.left) if c.left is not None else "–",
        )
        for c in account.contributors
    ]
    lead = _(
        "Spent: epsilon {spent} of {budget} at delta {delta}. Available for one more version: "
        "{left}."
    ).format(
        spent=_epsilon(account.spent),
        budget=exact(account.budget),
        delta=tiny(account.delta),
        left=_epsilon(account.left),
    )
    page = Page(hub, title, lead)
    whole = _whole(_parts(split, account, versions), account)
    page.add("spent", _("Where the budget goes"), *whole)
    reserved = _("The policy keeps {share} of the budget for drafts.").format(
        share=share(rules.budget.drafts)
    )
    by_kind = table((_("kind"), _("charges"), _("epsilon")), kinds)
    page.add("kinds", _("Spent by purpose"), by_kind, words(reserved))
    of_each = table((_("contributor"), _("epsilon"), _("limit"), _("left of it")), limits)
    page.add("contributors", _("Spent with the records of each contributor"), of_each)
    shown = table(head, charges, words=True, most=None) or words(_("Nothing was spent yet."))
    page.add("charges", _("Charges"), shown)
    return page.answer(
        left=account.left, budget=account.budget, spent=account.spent, charges=len(account.entries)
    )


def _epsilon(value: float) -> str:
    return decimal(value, "#,##0.###")


@dataclass(frozen=True)
class BudgetPart:
    """A part of the budget: what it is for, its cost in rho, and what that is as an epsilon."""

    what: str
    rho: float
    epsilon: str


def _parts(split: BudgetSplit, account: Account, versions: Mapping[str, str]) -> list[BudgetPart]:
    """The parts that add up to the budget: each published answer, the reserve, what is left."""
    release = _("release {version}")
    parts = [
        BudgetPart(release.format(version=isolated(versions[e.id])), e.rho, _epsilon(e.epsilon))
        for e in account.entries
        if e.id in versions
    ]
    left = max(0.0, split.budget - split.reserve - split.versions)
    alone = _epsilon(epsilon_of(split.reserve, split.delta))
    return [
        *parts,
        BudgetPart(_("kept for drafts"), split.reserve, alone),
        BudgetPart(_("left for versions to come"), left, _epsilon(account.left)),
    ]


def _whole(parts: Sequence[BudgetPart], account: Account) -> Iterator[Any]:
    whole = math.fsum(part.rho for part in parts)
    rows = [(p.what, share(p.rho / whole, fine=True), p.epsilon) for p in parts]
    rows.append((_("sum: the whole budget"), share(1.0, fine=True), exact(account.budget)))
    drafts = math.fsum(e.rho for e in account.entries) - math.fsum(
        p.rho for p in parts[: len(parts) - 2]
    )
    used = _("Of what is kept for drafts, {share} was used so far.").format(
        share=share(min(1.0, max(0.0, drafts) / parts[-2].rho) if parts[-2].rho else 0.0)
    )
    note = _(
        "The shares add up. The epsilons do not: several answers together cost less than the sum "
        "of their epsilons. Each epsilon is what the line would cost alone."
    )
    yield table((_("for what"), _("share of the budget"), _("epsilon")), rows, note=note)
    yield words(used)


def withdrawals(hub: Hub, contributor: str = "") -> dict[str, Any]:
    """The register: when, by whom, how far and why; nothing by which a person could be found.

    Args:
        contributor: the only one whose lines are shown, with nothing about others and nothing that
            the steward decided for their sake; all if empty.

    Raises:
        WithdrawalError: the register was changed.
    """
    entries, force = reports.register(hub)
    own = reported(entries, contributor) if contributor else entries
    active = {e.number for e in in_force(own).entries}
    missing = {key for key, any_ in reports.recorded_numbers(hub, contributor).items() if not any_}

    def standing(e: Withdrawal) -> str:
        if e.number not in active:
            return "–"
        nobody = (e.contributor, e.because or e.mark) in missing
        return _("no record found so far") if nobody else _("in force")

    def whose(e: Withdrawal) -> tuple[str, ...]:
        made = isolated(e.time[:10])  # the number of a line tells of the lines of others
        return (made,) if contributor else (number(e.number), made, name(e.contributor))

    rows = [
        (
            *whose(e),
            _what(e.kind, bool(e.because), bool(e.mark)),
            _scope(e.scope),
            _reason(e.reason),
            standing(e),
        )
        for e in reversed(own)
    ]
    head = (_("day"),) if contributor else ("", _("day"), _("contributor"))
    lead = (
        _("The register is whole: every line follows from the one before it.")
        if rows
        else _("Nobody has withdrawn.")
    )
    page = Page(hub, _("Withdrawals"), lead)
    head = (*head, _("what"), _("of"), _("reason"), _("in force"))
    page.add("register", "", table(head, rows, words=True))
    if missing:
        page.add("not-found", _("No record found so far"), _not_found(contributor))
    lines = told_rows(hub, contributor)
    if contributor:
        return page.answer(outdated=[], told=lines, contributors=[])
    _add_elsewhere(page, reports.taken_elsewhere(hub))
    if rows and (names := unsearched(hub, read_files(hub))):
        text = reports.NOT_SEARCHED.holding(names=", ".join(map(name, names)))
        page.add("not-searched", _("Not searched"), words(said(text)))
    if old := reports.outdated(hub):
        page.add("outdated", _("Candidates"), _outdated(old))
    known = [
        {"id": a.id, "name": printable(called(a)), "withdrawn": a.id in force.contributors}
        for a in hub.agreements()
    ]
    return page.answer(outdated=old, told=lines, contributors=known)


def _not_found(contributor: str) -> Any:
    own = _(
        "Where no record was found so far, none of your records that the hub has read has the "
        "number, so nothing of yours was taken out. It stays in force: a record that comes later "
        "is left out."
    )
    return words(own if contributor else said(reports.NOTHING_FOUND))


def _outdated(versions: list[str]) -> Any:
    text = _(
        "Candidates that may not be published, because somebody withdrew since they were made: "
        "{versions}. Build again."
    )
    return words(text.format(versions=", ".join(map(isolated, versions))))


def elsewhere(hub: Hub, contributor: str) -> dict[str, Any]:
    """What the withdrawals of one contributor do to others, for the steward alone."""
    quarters = [one for one in reports.taken_elsewhere(hub) if one.contributor == contributor]
    page = Page(hub, "")
    _add_elsewhere(page, quarters)
    return page.answer(quarters=len(quarters))


def _add_elsewhere(page: Page, quarters: Sequence[reports.TakenElsewhere]) -> None:
    rows = [
        (
            name(one.contributor),
            isolated(one.quarter),
            number(one.people),
            number(one.limit),
            _("the steward must decide") if one.open else "–",
        )
        for one in quarters
    ]
    head = (_("reported by"), _("quarter"), _("people"), _("limit"), "")
    note = _("The other contributors are not notified, and must not be asked.")
    title = _("People of other contributors left out")
    page.add("elsewhere", title, table(head, rows, note=note) or words(_("None.")))


def _what(kind: str, cause: bool, mark: bool) -> str:
    if kind == "withdrawal" and cause:
        return _("found with it")
    if kind == "renewal" and mark:
        return _("another row of the case: stays")
    return {
        "withdrawal": _("withdrawal"),
        "undo": _("undone"),
        "renewal": _("reported again for new tokens"),
        "raw_deleted": _("raw files deleted"),
        "decided": _("people of others: decided"),
    }[kind]


def _scope(scope: str) -> str:
    return {
        "person": _("a person, everywhere"),
        "records": _("a person, in these records"),
        "contributor": _("the contributor"),
        "delivery": _("a delivery"),
    }[scope]


def _reason(reason: str) -> str:
    return {
        "asked": _("asked"),
        "consent": _("consent"),
        "agreement": _("agreement"),
        "mistake": _("mistake"),
        "other": _("other"),
    }[reason]
