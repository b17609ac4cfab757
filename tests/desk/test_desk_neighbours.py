"""Law 11 at the desk: what others send, withdraw and wait for shows on no page of a contributor.

Every page of the register that a contributor or a visitor may open is asked for by its address, so
that a new page is compared without being named here.
"""

from __future__ import annotations

import re
from typing import Any

from ctdhub.hub import find_person, pipeline, withdrawals
from ctdhub.hub.folder import Hub
from tests.desk import rights
from tests.desk.desks import THEIRS, Desk
from tests.desk.things import thing
from tests.journeys.neighbours import Seen, require_equal
from tests.journeys.test_withdraw import HARBOUR, MIRADOR, known_to_both

OURS = MIRADOR
"""The contributor's organisation, which knows some of the people of Harbour."""
PARTS = {
    "variable": "gender", "version": "2026.1", "key": OURS, "kind": "agreement",
    "day": "2026-01-15",
}  # fmt: skip
AFAR = {"REMOTE_ADDR": "203.0.113.7"}
"""Where the requests come from: not from the desk's own computer."""
RANDOM = re.compile(r"[A-Za-z0-9]{64}|(?<=nonce-)[\w+/=-]+|(?<=Expires: ).+")
"""What differs from one request to the next: tokens of forms, marks of scripts, the clock."""


OWN_CLOCK = "/accounts/sessions/"
"""Shows when the account itself asked last."""


def seen(clients: dict[str, Any], addresses: dict[str, set[str]]) -> Seen:
    """Status, heads and bytes of every answer, by who asks and where."""
    found: Seen = {}
    for role, asked in addresses.items():
        for address in sorted(asked):
            answer = clients[role].get(address, **AFAR)
            body = b"".join(answer) if answer.streaming else answer.content
            heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            told = f"{answer.status_code}\n{heads}\n{body.decode('utf-8', 'replace')}"
            found[f"{role or 'visitor'} {address}"] = RANDOM.sub("", told).encode()
    return found


def addresses_of(desk: Desk) -> dict[str, set[str]]:
    """What a contributor and a visitor may open, things of the contributor's own among it."""
    from ctdhub.desk.registry import pages

    own = {of: thing(desk, of, OURS) for of in sorted({page.of for page in pages()} - {""})}
    found: dict[str, set[str]] = {role: set() for role in ("contributor", "")}
    for page in pages():
        parts = {"id": str(getattr(own[page.of].pk, "hex", own[page.of].pk))} if page.of else {}
        address = "/" + re.sub(
            r"<(?:\w+:)?(\w+)>", lambda m, known=PARTS | parts: known.get(m[1], "0"), page.path
        )
        for role in found:
            if rights.may(role, page.action) and "GET" in page.methods and address != OWN_CLOCK:
                found[role].add(address)
    return found


def happens(desk: Desk) -> None:
    """Others send, are answered; a table is asked for; a draft is paid for; a job fails; a person
    whom ours knows too withdraws at another."""
    for state in ("received", "checked", "returned", "accepted", "withdrawn"):
        made = thing(desk, "Delivery", THEIRS, state=state, kind="xlsx", bytes=10)
    thing(desk, "ReturnReason", THEIRS, delivery=made, cells=["A1"])
    thing(desk, "Job", THEIRS, state="failed")
    for table in ("TableRequest", "Paper"):
        thing(desk, table, THEIRS)
    hub = Hub(desk.hub)
    told = find_person.look_up(hub, HARBOUR, [known_to_both(hub)[0][0]], "case", "person", "asked")
    withdrawals.withdraw(hub, told.entries)
    file = next((desk.hub / "contributions" / HARBOUR).glob("*/*"))
    rows = file.read_bytes().rstrip(b"\n").split(b"\n")
    file.write_bytes(b"\n".join(rows[:-20]) + b"\n")
    policy = desk.hub / "policy.yaml"
    policy.write_text(policy.read_text("utf-8").replace("60.0", "59.0"), "utf-8")
    pipeline.build(Hub(desk.hub), until="protect")


def test_every_page_of_a_contributor_is_the_same_in_neighbouring_hubs(
    hub_desk: Desk,
) -> None:
    from ctdhub.desk.models import RoleHeld

    held = RoleHeld.objects.filter(account=hub_desk.accounts["contributor"])
    assert held.update(organisation_id=OURS) == 1
    asked = addresses_of(hub_desk)
    clients = {role: hub_desk.client_of(role) for role in asked}
    before = seen(clients, asked)
    shown = {name for name, told in before.items() if told.startswith(b"200")}
    assert len(shown) > 20, shown
    for page in ("", "report/", "keys/", "withdrawals/", "deliveries/"):
        assert f"contributor /{page}" in shown
    happens(hub_desk)
    require_equal(before, seen(clients, asked))
