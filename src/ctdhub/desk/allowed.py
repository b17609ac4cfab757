"""Who may do what: one table of actions, roles, relations and states, and the questions about it.

Pages, lists, jobs, the workbench, templates, row-level security and tests ask :func:`allowed` and
:func:`scope`; nothing else decides.  What the hub may be asked is an entry of :data:`ASKS`, which
its page and the worker both read.  It reads no database: a thing is anything that has the
attributes ``organisation_id``, ``account_id`` and ``state``, or those of them that matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

CONTRIBUTOR, DATA_OFFICER, STEWARD = "contributor", "data_officer", "steward"
PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR = "privacy_officer", "administrator", "auditor"
ROLES = (CONTRIBUTOR, DATA_OFFICER, STEWARD, PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR)
HUB_ROLES = frozenset(ROLES[1:])
APART = {
    "one_approving_role": [CONTRIBUTOR, STEWARD, PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR],
    "one_deciding_role": [CONTRIBUTOR, DATA_OFFICER, ADMINISTRATOR, AUDITOR],
}
"""Roles of which one account holds one at most, by the constraint of the table."""

Relation = Literal["any", "own", "self"]
"""Whose things: anybody's, those of one's own organisation, those of the account itself."""


@dataclass(frozen=True)
class Who:
    """Whoever asks.

    Attributes:
        account: key of the account; empty for a visitor who has not signed in.
        roles: those that it holds; empty for a visitor.
        organisation: id of the organisation that a contributor belongs to.
        visit: key of the visit in which they ask, where they ask another process; a secret.
    """

    account: str = ""
    roles: frozenset[str] = frozenset()
    organisation: str = ""
    visit: str = field(default="", repr=False, compare=False)

    @property
    def is_contributor(self) -> bool:
        """Whether it belongs to a contributing organisation, and so not to the hub."""
        return CONTRIBUTOR in self.roles


VISITOR = Who()


class Owner(Who):
    """The one user of a kit, on the own computer: everything there is theirs."""


@dataclass(frozen=True)
class Grant:
    """A row of the table: these roles may, to these things, in these states.

    Attributes:
        roles: any of them; empty for everybody who has signed in.
        relation: whose things.
        states: in which states of the thing; empty for each.
        visitors: also those who have not signed in.
    """

    roles: frozenset[str]
    relation: Relation = "any"
    states: frozenset[str] = frozenset()
    visitors: bool = False


@dataclass(frozen=True)
class Action:
    """An action of the table.

    Attributes:
        grants: any of them is enough.
        looks: it shows case data or counts of them, so that each look is an event of the trail.
        unproved: also for an account that has not set up its second factor yet.
    """

    grants: tuple[Grant, ...]
    looks: bool = False
    unproved: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether something is allowed.

    Attributes:
        rule: against which it is: "role": nobody in these roles may; "relation": it is not theirs,
            and must look as if it did not exist; "state": not now; "" where it is allowed.
    """

    rule: Literal["", "role", "relation", "state"] = ""

    def __bool__(self) -> bool:
        return not self.rule


def _to(roles: str, relation: Relation = "any", states: str = "") -> Grant:
    unknown = set(roles.split()) - set(ROLES)
    if unknown:
        raise ValueError(f"no such role: {unknown}")
    return Grant(frozenset(roles.split()), relation, frozenset(states.split()))


_EVERYBODY = Grant(frozenset())
_VISITORS = Grant(frozenset(), visitors=True)
_OWN_ACCOUNT = Grant(frozenset(), "self")
_CASE = "data_officer steward"

ACTIONS: dict[str, Action] = {
    # Signing in, and one's own account.
    "door.open": Action((_VISITORS,), unproved=True),
    "account.self": Action((_EVERYBODY,), unproved=True),
    "home.read": Action((_EVERYBODY,)),
    # Accounts and invitations.
    "account.read": Action((_to("administrator"),)),
    "account.end": Action((_to("administrator"),)),
    "invitation.read": Action((_to("administrator"),)),
    "invitation.write": Action((_to("administrator"),)),
    "invitation.confirm": Action(
        (_to("contributor", "own"), _to("data_officer steward privacy_officer auditor"))
    ),
    "people.read": Action((_to("data_officer steward privacy_officer administrator auditor"),)),
    # The trail.
    "trail.read": Action((_to("auditor administrator"),)),
    # Operation.
    "operation.read": Action((_to("administrator"),)),
    # Deliveries.
    "delivery.list": Action((_to("contributor", "own"), _to(_CASE))),
    "delivery.read": Action((_to("contributor", "own"), _to(_CASE)), looks=True),
    "delivery.send": Action((_to("contributor", "own"), _to("data_officer"))),
    "delivery.upload": Action((_to("contributor", "own"), _to("data_officer", "self"))),
    "delivery.withdraw": Action(
        (_to("contributor", "own", "receiving received checked refused returned"),)
    ),
    "delivery.check": Action(
        (
            _to("contributor", "own", "received checked refused"),
            _to(_CASE, "any", "received checked refused"),
        )
    ),
    "delivery.return": Action((_to(_CASE, "any", "checked"),)),
    "delivery.accept": Action((_to("data_officer", "any", "checked"),)),
    "delivery.ask_withdraw": Action((_to("contributor", "own", "accepted"),)),
    "delivery.carry_out": Action((_to("steward", "any", "accepted"),)),
    # Mappings and columns, by way of the workbench.
    "mapping.read": Action((_to("contributor", "own"), _to(_CASE)), looks=True),
    "mapping.edit": Action((_to("contributor", "own"), _to("data_officer")), looks=True),
    "mapping.keep": Action((_to("data_officer"),)),
    # Agreements, papers, reports.
    "agreement.read": Action(
        (_to("contributor", "own"), _to("data_officer steward privacy_officer auditor"))
    ),
    "agreement.write": Action((_to("data_officer privacy_officer"),)),
    "paper.read": Action(
        (
            _to("contributor", "own"),
            _to("data_officer steward privacy_officer administrator auditor"),
        )
    ),
    "paper.draft": Action((_to("data_officer steward privacy_officer administrator"),)),
    "paper.write": Action((_to("privacy_officer administrator"),)),
    "paper.remove": Action((_to("privacy_officer administrator"),)),
    "report.read": Action((_to("contributor", "own"),), looks=True),
    # Keys of bundles: the hub's own, its cards, and those with which organisations sign.
    "key.read": Action(
        (
            _to("contributor", "own"),
            _to("data_officer steward privacy_officer administrator auditor"),
        )
    ),
    "key.make": Action((_to("data_officer steward administrator"),)),
    "key.send": Action((_to("contributor", "own"),)),
    "key.confirm": Action((_to("data_officer steward privacy_officer", "any", "waiting"),)),
    # The agreement decides which keys sign: a confirming that died may leave any of them in it.
    "key.end": Action(
        (_to("data_officer steward privacy_officer", "any", "confirmed refused ended"),)
    ),
    # What the hub looks at.
    "look.read": Action((_to(_CASE),), looks=True),
    "look.counts": Action((_to("data_officer steward privacy_officer"),), looks=True),
    "alarm.accept": Action((_to("data_officer"),)),
    "drift.read": Action((_to(_CASE),), looks=True),
    "doubles.read": Action((_to(_CASE),), looks=True),
    "doubles.decide": Action((_to("data_officer"),)),
    "coverage.read": Action((_to("data_officer steward privacy_officer"),)),
    "lineage.read": Action((_to("data_officer steward privacy_officer auditor"),)),
    "look.refresh": Action((_to(_CASE),)),
    # Withdrawals.
    "withdrawal.tell": Action((_to("contributor", "own"),)),
    "withdrawal.read": Action((_to("contributor", "own"), _to(_CASE))),
    "withdrawal.carry_out": Action((_to("steward"),)),
    # Budget, releases, approvals.
    "ledger.read": Action((_to("steward privacy_officer auditor"),)),
    "plan.read": Action((_to("data_officer steward privacy_officer auditor"),)),
    "plan.write": Action((_to("steward"),)),
    "plan.change": Action((_to("steward", "any", "drafted"),)),
    "plan.price": Action((_to("steward privacy_officer"),)),
    "plan.rehearse": Action((_to("steward privacy_officer", "any", "drafted"),)),
    "plan.spend": Action((_to("privacy_officer", "any", "drafted"),)),
    "plan.build": Action((_to("steward", "any", "drafted"),)),
    "plan.approve": Action((_to("steward privacy_officer", "any", "built approved_by_one"),)),
    "plan.refuse": Action(
        (_to("steward privacy_officer", "any", "built approved_by_one approved scheduled"),)
    ),
    "plan.hold": Action(
        (_to("steward privacy_officer", "any", "built approved_by_one approved scheduled held"),)
    ),
    "plan.publish": Action((_to("steward", "any", "approved scheduled"),)),
    "approval.read": Action((_to("steward privacy_officer auditor"),)),
    "approver.read": Action((_to("steward privacy_officer administrator auditor"),)),
    "approver.hear": Action((_to("steward privacy_officer administrator"),)),
    "approver.name": Action((_to("administrator"),)),
    "candidate.read": Action((_to("steward privacy_officer"),)),
    "approval.give": Action((_to("steward privacy_officer"),)),
    "approval.hold": Action((_to("steward privacy_officer"),)),
    "approval.publish": Action((_to("steward"),)),
    # Tables on request.
    "table.read": Action((_to("data_officer steward privacy_officer auditor"),)),
    "table.ask": Action((_to(_CASE),)),
    "table.take_back": Action((_to(_CASE, "self", "asked"),)),
    "table.price": Action((_to("steward privacy_officer"),)),
    "table.decide": Action((_to("privacy_officer", "any", "asked"),)),
    # Jobs.
    "job.read": Action((_OWN_ACCOUNT, _to("steward privacy_officer"))),
    "job.cancel": Action((_OWN_ACCOUNT, _to("steward"))),
}


@dataclass(frozen=True)
class Ask:
    """What the web process may ask of the hub.

    Attributes:
        action: that it is, of the table.
        whose: the key of the request that names the organisation that it is about: a contributor
            asks about its own alone.  "" where it is about none, None where no contributor may ask.
    """

    action: str
    whose: str | None


ASKS = {
    name: Ask(action, whose)
    for action, whose, names in (
        ("agreement.read", None, "agreements"),
        ("agreement.read", "id", "agreement"),
        ("look.counts", None, "looks look"),
        ("look.read", None, "rejects"),
        ("drift.read", None, "drift"),
        ("coverage.read", None, "coverage"),
        ("doubles.read", None, "doubles"),
        ("doubles.decide", None, "decide"),
        ("lineage.read", None, "lineages lineage"),
        ("ledger.read", None, "ledger"),
        ("withdrawal.read", "id", "withdrawals"),
        ("withdrawal.tell", "id", "tell told tell_rows tell_back"),
        ("withdrawal.carry_out", None, "tell_pass"),
        ("plan.read", None, "versions rehearsal changes"),
        ("plan.price", None, "price stopped"),
        ("home.read", "", "waiting next_week"),
        ("home.read", None, "begun"),
        ("report.read", "id", "report"),
        ("paper.draft", None, "paper_draft"),
        ("paper.read", "id", "paper_file"),
        ("key.read", "id", "keys"),
        ("key.send", "id", "key_file"),
        ("table.read", None, "table_held table_form"),
        ("table.price", None, "table_price"),
        ("approval.read", None, "candidates candidate notice"),
        ("approver.read", None, "approvers"),
        ("approval.give", None, "statement lift key_change notice_to_sign"),
        ("candidate.read", None, "card"),
    )
    for name in names.split()
}
"""What may be asked, by name; ``desk.worker.answers.ask`` says what each answers."""


def may_ask(who: Who, request: Mapping[str, Any]) -> bool:
    """Whether somebody may ask this of the hub.

    Args:
        request: ``ask`` is a name of :data:`ASKS`.
    """
    ask = ASKS.get(str(request.get("ask")))
    if ask is None or (who.is_contributor and ask.whose is None):
        return False
    theirs = SimpleNamespace(organisation_id=str(request.get(ask.whose or "", "")))
    return bool(allowed(who, ask.action, theirs if who.is_contributor and ask.whose else None))


def allowed(who: Who, action: str, thing: Any = None) -> Verdict:
    """Whether somebody may do something.

    Args:
        thing: to what; None for a page that is about no single thing, and to ask whether they may
            at all, for a menu or a list.

    Raises:
        KeyError: the table has no such action.

    >>> contributor = Who("1", frozenset({"contributor"}), "rivage")
    >>> bool(allowed(contributor, "delivery.send")), allowed(contributor, "trail.read")
    (True, Verdict(rule='role'))
    """
    if isinstance(who, Owner):
        return Verdict()
    mine = list(_grants_of(who, action))
    if not mine or thing is None:
        return Verdict("" if mine else "role")
    near = [g for g in mine if _related(who, g.relation, thing)]
    state = getattr(thing, "state", None)
    now = any(not g.states or state in g.states for g in near)
    return Verdict("" if now else "state" if near else "relation")


def scope(who: Who, action: str) -> Any:
    """The things that somebody may do something to, whatever their state, as a condition of Django.

    Returns:
        A ``Q`` for tables with an ``organisation`` (relation "own") or an ``account`` ("self").
    """
    from django.db.models import Q

    if isinstance(who, Owner):
        return Q()
    condition = Q(pk__in=[])
    for grant in _grants_of(who, action):
        if grant.relation == "any":
            return Q()
        condition |= (
            Q(organisation=who.organisation) if grant.relation == "own" else Q(account=who.account)
        )
    return condition


def roles_of(action: str) -> frozenset[str]:
    """The roles that may do something to anybody's things; for row-level security."""
    grants = ACTIONS[action].grants
    return frozenset().union(*(g.roles for g in grants if g.relation == "any"))


def _grants_of(who: Who, action: str) -> Iterator[Grant]:
    for grant in ACTIONS[action].grants:
        if grant.visitors or (who.account and (not grant.roles or grant.roles & who.roles)):
            if grant.relation == "own" and not who.organisation:
                continue
            yield grant


def _related(who: Who, relation: Relation, thing: Any) -> bool:
    if relation == "own":
        theirs = getattr(thing, "organisation_id", None)
        return theirs is not None and theirs == who.organisation
    if relation == "self":
        owner = getattr(thing, "account_id", None)
        return owner is not None and str(getattr(owner, "hex", owner)) == who.account
    return True
