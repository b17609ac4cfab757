"""Who may do what at the desk, written out a second time.

Told from the guides and decisions 88 to 92, 95 and 101, in words of its own and without the code:
a right that is given or taken away by mistake differs from this table.  Whoever means the change
writes it in both places.
"""

from __future__ import annotations

from dataclasses import dataclass

ROLES = (
    "contributor", "data_officer", "steward", "privacy_officer", "administrator", "auditor",
)  # fmt: skip

# A cell says whose things: everybody's (any), those of the own organisation (own), the account's
# own (self), or none (-).  States are those in which it may be done; "-" is each.  Marks: "looks"
# shows case data or counts of them, "unproved" needs no second factor yet, "visitors" no account.
RIGHTS = """
action                 contrib.  officer  steward  privacy  admin  auditor  states  marks
door.open              any       any      any      any      any    any      -  unproved,visitors
account.self           any       any      any      any      any    any      -  unproved
home.read              any       any      any      any      any    any      -  -
account.read           -         -        -        -        any    -        -  -
account.end            -         -        -        -        any    -        -  -
invitation.read        -         -        -        -        any    -        -  -
invitation.write       -         -        -        -        any    -        -  -
invitation.confirm     own       any      any      any      -      any      -  -
people.read            -         any      any      any      any    any      -  -
trail.read             -         -        -        -        any    any      -  -
operation.read         -         -        -        -        any    -        -  -
delivery.list          own       any      any      -        -      -        -  -
delivery.read          own       any      any      -        -      -        -  looks
delivery.send          own       any      -        -        -      -        -  -
delivery.upload        own       self     -        -        -      -        -  -
delivery.withdraw      own       -        -        -        -      -        receiving,received,checked,refused,returned  -
delivery.check         own       any      any      -        -      -        received,checked,refused  -
delivery.return        -         any      any      -        -      -        checked  -
delivery.accept        -         any      -        -        -      -        checked  -
delivery.ask_withdraw  own       -        -        -        -      -        accepted  -
delivery.carry_out     -         -        any      -        -      -        accepted  -
mapping.read           own       any      any      -        -      -        -  looks
mapping.edit           own       any      -        -        -      -        -  looks
mapping.keep           -         any      -        -        -      -        -  -
agreement.read         own       any      any      any      -      any      -  -
agreement.write        -         any      -        any      -      -        -  -
paper.read             own       any      any      any      any    any      -  -
paper.draft            -         any      any      any      any    -        -  -
paper.write            -         -        -        any      any    -        -  -
paper.remove           -         -        -        any      any    -        -  -
key.read               own       any      any      any      any    any      -  -
key.make               -         any      any      -        any    -        -  -
key.send               own       -        -        -        -      -        -  -
key.confirm            -         any      any      any      -      -        waiting  -
key.end                -         any      any      any      -      -        confirmed,ended,refused  -
report.read            own       -        -        -        -      -        -  looks
look.read              -         any      any      -        -      -        -  looks
look.counts            -         any      any      any      -      -        -  looks
look.refresh           -         any      any      -        -      -        -  -
alarm.accept           -         any      -        -        -      -        -  -
drift.read             -         any      any      -        -      -        -  looks
doubles.read           -         any      any      -        -      -        -  looks
doubles.decide         -         any      -        -        -      -        -  -
coverage.read          -         any      any      any      -      -        -  -
lineage.read           -         any      any      any      -      any      -  -
withdrawal.tell        own       -        -        -        -      -        -  -
withdrawal.read        own       any      any      -        -      -        -  -
withdrawal.carry_out   -         -        any      -        -      -        -  -
ledger.read            -         -        any      any      -      any      -  -
plan.read              -         any      any      any      -      any      -  -
plan.write             -         -        any      -        -      -        -  -
plan.change            -         -        any      -        -      -        drafted  -
plan.price             -         -        any      any      -      -        -  -
plan.rehearse          -         -        any      any      -      -        drafted  -
plan.spend             -         -        -        any      -      -        drafted  -
plan.build             -         -        any      -        -      -        drafted  -
plan.approve           -         -        any      any      -      -        built,approved_by_one  -
plan.refuse            -         -        any      any      -      -        built,approved_by_one,approved,scheduled  -
plan.hold              -         -        any      any      -      -        built,approved_by_one,approved,scheduled,held  -
plan.publish           -         -        any      -        -      -        approved,scheduled  -
approval.read          -         -        any      any      -      any      -  -
approver.read          -         -        any      any      any    any      -  -
approver.hear          -         -        any      any      any    -        -  -
approver.name          -         -        -        -        any    -        -  -
candidate.read         -         -        any      any      -      -        -  -
approval.give          -         -        any      any      -      -        -  -
approval.hold          -         -        any      any      -      -        -  -
approval.publish       -         -        any      -        -      -        -  -
table.read             -         any      any      any      -      any      -  -
table.ask              -         any      any      -        -      -        -  -
table.take_back        -         self     self     -        -      -        asked  -
table.price            -         -        any      any      -      -        -  -
table.decide           -         -        -        any      -      -        asked  -
job.read               self      self     any      any      self   self     -  -
job.cancel             self      self     any      self     self   self     -  -
"""  # noqa: E501


@dataclass(frozen=True)
class Right:
    """A line of the table: whose things by role, in which states, and marks."""

    whose: dict[str, str]
    states: frozenset[str]
    marks: frozenset[str]

    def given(self, role: str, *, own: bool = True, self_: bool = True, state: str = "") -> bool:
        """Whether a role may, to a thing of its organisation, or its account, in a state.

        Without a state: whether it may in any.
        """
        near = {"any": True, "own": own, "self": self_, "-": False}[self.whose[role]]
        return near and (not state or not self.states or state in self.states)


def _set(cell: str) -> frozenset[str]:
    return frozenset(cell.split(",")) - {"-"}


def _rights() -> dict[str, Right]:
    found = {}
    for line in RIGHTS.strip().splitlines()[1:]:
        action, *cells, states, marks = line.split()
        whose = dict(zip(ROLES, cells, strict=True))
        found[action] = Right(whose, _set(states), _set(marks))
    return found


TABLE = _rights()


def may(role: str, action: str) -> bool:
    """Whether a role may do an action to anything; a visitor is the role ""."""
    right = TABLE[action]
    return right.given(role) if role else "visitors" in right.marks
