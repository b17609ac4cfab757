"""What the hub answers the desk: each request, by what each role may see.

Belongs here: every kind of request, those that write last; refusals too, by their rule.
Does not belong here: what pages make of the answers (``desk_pages``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden_parts.desk import PUBLISHED, WAITING, masked, opened, with_accounts
from golden_parts.kept import Kept
from golden_parts.world import World

if TYPE_CHECKING:
    from tests.desk.desks import Desk

OURS, THEIRS = "rivage-refuge", "harbour-casework"
ROLES = ("contributor", "data_officer", "steward", "privacy_officer", "auditor")
SPEAKS = {"data_officer": "fr", "steward": "ar", "auditor": "es"}
"""Languages of those who are not answered in English."""

NO_KEY = "0" * 32

REQUESTS: tuple[dict[str, Any], ...] = (
    {"ask": "agreements"},
    {"ask": "agreement", "id": OURS},
    {"ask": "agreement", "id": THEIRS},
    {"ask": "agreement", "id": "no-such"},
    {"ask": "looks"},
    {"ask": "look", "id": OURS},
    {"ask": "look", "id": THEIRS, "date": "2026-01-15"},
    {"ask": "look", "id": THEIRS, "date": "2001-01-01"},
    {"ask": "rejects", "id": THEIRS, "date": "2026-01-15"},
    {"ask": "drift"},
    {"ask": "coverage"},
    {"ask": "doubles"},
    {"ask": "lineages", "contributor": OURS},
    {"ask": "lineages"},
    {"ask": "lineage", "id": "gender", "contributor": OURS},
    {"ask": "lineage", "id": "gender"},
    {"ask": "lineage", "id": "no_such"},
    {"ask": "ledger"},
    {"ask": "withdrawals", "id": OURS},
    {"ask": "withdrawals"},
    {"ask": "versions"},
    {"ask": "rehearsal"},
    {"ask": "price", "version": WAITING},
    {"ask": "changes", "version": PUBLISHED},
    {"ask": "changes", "version": WAITING},
    {"ask": "changes", "version": "../x"},
    {"ask": "stopped", "job": NO_KEY},
    {"ask": "waiting"},
    {"ask": "overview"},
    {"ask": "report", "id": OURS},
    {"ask": "next_week"},
    *({"ask": "paper_draft", "kind": kind} for kind in ("dpia", "no-such")),
    {"ask": "paper_draft", "kind": "agreement", "id": OURS},
    {"ask": "paper_file", "key": NO_KEY, "id": OURS},
    {"ask": "table_form"},
    {"ask": "table_held", "tables": [["gender"], ["gender", "citizenship"], ["no_such"]]},
    {"ask": "table_price", "variables": ["gender", "country_of_exploitation"]},
    {"ask": "table_price", "variables": ["gender", "recruiter_friend"]},
    {"ask": "candidates"},
    {"ask": "candidate", "version": WAITING},
    {"ask": "candidate", "version": PUBLISHED},
    {"ask": "approvers"},
    {"ask": "statement", "version": WAITING, "role": "steward", "not_before": "2026-02-01"},
    {"ask": "statement", "version": WAITING, "role": "privacy_officer", "not_before": ""},
    {"ask": "lift", "version": WAITING, "role": "steward"},
    {"ask": "key_change", "role": "steward", "reason": "a new device"},
    {"ask": "no_such"},
    {"ask": "decide", "pair": "0" * 16, "same": "yes", "seen": 0},
    {"ask": "tell", "id": OURS, "scope": "person", "reason": "asked", "numbers": ["no such"]},
)  # fmt: skip
"""In turn; those of a contributor about its own organisation are answered to it too."""


def record(world: World, kept: Kept) -> None:
    """Keep the answers to each role, what is refused in one list of it."""
    with opened() as desk:
        with_accounts(desk)
        for role in ROLES:
            asker = Asker(kept, desk, role)
            for request in REQUESTS:
                found = asker.ask(request)
                if request["ask"] == "doubles" and role == "data_officer":
                    _decide(asker, found)
            asker.end()
        _withdraw(kept, desk)


class Asker:
    """Somebody of a role, who asks the hub; each answer is kept under its number and kind."""

    def __init__(self, kept: Kept, desk: Desk, role: str) -> None:
        from ctdhub.desk.worker.answering import answer_of

        who = desk.asking(role)
        self._fixed = {"account": who.account, "visit": who.visit, "lang": SPEAKS.get(role, "en")}
        self._kept, self._role, self._answer_of = kept, role, answer_of
        self._refused: list[str] = []
        self._number = 0

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer."""
        asked = json.dumps({**request, **self._fixed}).encode()
        found: dict[str, Any] = json.loads(self._answer_of(asked))
        if "error" in found:
            refused = {**request, "error": found["error"]}
            self._refused.append(masked(json.dumps(refused, sort_keys=True)))
        else:
            text = masked(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True))
            self._kept.text(f"{self._role}/{self._number:02d}-{request['ask']}.json", text)
        self._number += 1
        return found

    def end(self) -> None:
        """Keep what was refused."""
        self._kept.text(f"{self._role}/refused.txt", "\n".join(self._refused))


def _decide(asker: Asker, found: dict[str, Any]) -> None:
    """A decision about each of the first pairs, the second as if another had been seen."""
    for number, one in enumerate(found["given"]["pairs"][:2]):
        asker.ask({"ask": "decide", "pair": one["pair"], "same": "yes", "seen": number})
    asker.ask({"ask": "doubles"})


def _withdraw(kept: Kept, desk: Desk) -> None:
    """A number is told at the desk and looked for; rows are chosen; another is taken back."""
    from tests.desk.sending import work

    asker, client = Asker(kept, desk, "other"), desk.client_of("other")
    (file,) = Path("hub/contributions", THEIRS).rglob("*.csv")
    number = file.read_text("cp1252").splitlines()[1].partition(";")[0]
    for numbers in (f"{number}\nnobody\n", number):
        form = {"scope": "records", "reason": "consent", "by": "case", "numbers": numbers}
        key = client.post("/withdrawals/tell/", form)["Location"].split("/")[3]
        work()
        report = {"id": THEIRS, "key": key}
        found = asker.ask({"ask": "told", **report})["given"]
        chosen = {str(one["place"]): [1] for one in found["asked"]}
        answer = {"ask": "tell_rows", **report, "chosen": chosen, "unknown": "drop"}
        asker.ask({**answer, "seen": ""})
        asker.ask({**answer, "seen": found["seen"]})
        asker.ask({"ask": "told", **report})
        asker.ask({"ask": "withdrawals", "id": THEIRS})
    asker.ask({"ask": "tell_back", **report})
    asker.ask({"ask": "told", **report})
    told = {"ask": "tell", "id": THEIRS, "scope": "person", "reason": "asked", "what": "case"}
    asker.ask({**told, "numbers": ["nobody"], "ahead": True})
    asker.ask({**told, "numbers": ["nobody"], "ahead": False, "scope": "no such"})
    asker.end()
