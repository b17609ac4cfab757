"""The table of who may do what: its laws, and that its two questions agree."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.desk import rights

from ctdhub.desk.allowed import ACTIONS, HUB_ROLES, ROLES, VISITOR, Owner, Who, allowed, roles_of

CASE_DATA = {"delivery.list", "delivery.read", "mapping.read", "look.read", "doubles.read"}


def who(role: str, organisation: str = "ours") -> Who:
    return Who("1" * 32, frozenset({role}), organisation if role == "contributor" else "")


def thing(organisation: str, state: str = "checked", account: str = "2" * 32) -> SimpleNamespace:
    return SimpleNamespace(organisation_id=organisation, account_id=account, state=state)


def test_the_table_gives_what_the_guides_say() -> None:
    """Each action, role, relation and state against a table written out by hand."""
    assert set(rights.TABLE) == set(ACTIONS)
    assert rights.ROLES == ROLES
    states = {state for right in rights.TABLE.values() for state in right.states} | {"of-none"}
    wrong = []
    for action, right in rights.TABLE.items():
        marks = {"looks": ACTIONS[action].looks, "unproved": ACTIONS[action].unproved}
        marks["visitors"] = bool(allowed(VISITOR, action))
        if {mark for mark, has in marks.items() if has} != right.marks:
            wrong.append(f"{action}: marks")
        for role in ROLES:
            if bool(allowed(who(role), action)) != right.given(role):
                wrong.append(f"{action}: {role}")
            for own, self_, state in product((True, False), (True, False), sorted(states)):
                one = thing("ours" if own else "theirs", state, ("1" if self_ else "2") * 32)
                given = right.given(role, own=own, self_=self_, state=state)
                if bool(allowed(who(role), action, one)) != given:
                    wrong.append(f"{action}: {role}, own {own}, self {self_}, {state}")
    assert not wrong


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_contributor_reaches_nothing_of_another(action: str) -> None:
    """Whatever the state; a hub role alone is "any", and a visitor comes to the door only."""
    for state in ("receiving", "checked", "accepted", "built", "none"):
        if allowed(who("contributor"), action, thing("theirs", state)):
            grants = ACTIONS[action].grants
            assert any(not grant.roles for grant in grants), action
    assert roles_of(action) <= HUB_ROLES
    assert bool(allowed(VISITOR, action)) == (action == "door.open")
    assert allowed(Owner(), action, thing("theirs"))


def test_administrator_and_auditor_see_no_case_data() -> None:
    for role in ("administrator", "auditor"):
        may = {action for action in ACTIONS if allowed(who(role), action)}
        assert not may & CASE_DATA
        assert not {action for action in may if ACTIONS[action].looks}


def test_one_role_alone_neither_spends_nor_publishes() -> None:
    """Building asks the steward, its price the privacy officer; each signs for itself."""
    for role in ROLES:
        may = {a for a in ("plan.build", "plan.spend") if allowed(who(role), a)}
        assert len(may) <= 1, role
    assert roles_of("plan.approve") == {"steward", "privacy_officer"}


@given(
    st.sampled_from(sorted(ACTIONS)),
    st.sampled_from(ROLES),
    st.sampled_from(["ours", "theirs", ""]),
    st.sampled_from(["receiving", "checked", "accepted", "built", ""]),
)
def test_what_is_allowed_is_in_the_scope(
    action: str, role: str, organisation: str, state: str
) -> None:
    """``scope`` leaves out states; otherwise the two say the same of every thing."""
    from ctdhub.desk.allowed import scope

    asker, one = who(role), thing(organisation, state)
    condition = str(scope(asker, action))
    everything = condition == "(AND: )"
    own = "('organisation', 'ours')" in condition and organisation == "ours"
    verdict = allowed(asker, action, one)
    if verdict:
        assert everything or own, condition
    elif not (everything or own):
        assert verdict.rule in ("role", "relation")
    else:
        assert verdict.rule == "state"


def test_an_action_that_the_table_lacks_is_an_error() -> None:
    with pytest.raises(KeyError):
        allowed(who("steward"), "data.steal")
