"""Pages of the desk: each page of the register as each role sees it, and forms that are sent.

Belongs here: pages in English by role, once more in Arabic, what becomes of an empty form and of
some filled ones.  Does not belong here: what the hub answers (``hub_answers``), the kit.

Pages that are refused, or lead elsewhere, are lines of one list by role.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from golden_parts.desk import PUBLISHED, WAITING, masked, opened, with_accounts
from golden_parts.kept import Kept
from golden_parts.world import World

if TYPE_CHECKING:
    from tests.desk.desks import Desk

VISITOR = ""
OURS, THEIRS = "rivage-refuge", "harbour-casework"
DIRTY = "sexe,age,nom\n" + "F,0-8,Zqx Una\nfemme,9-17,Zqx Dua\nFille ?,x,Zqx Tria\nH,30,\n" * 5

PARTS: dict[str, tuple[str, ...]] = {
    "key": (OURS, THEIRS),
    "day": ("2026-01-15",),
    "variable": ("gender",),
    "version": (PUBLISHED, WAITING),
    "kind": ("agreement", "dpia", "no-such"),
    "at": ("0", "1"),
}
"""What stands in an address beside keys of rows; "x" for all else."""

LEFT_OUT = ("asset", "account_logout", "close_account", "end_visits", "end_role", "live", "ready")
"""Files; what would end the visits of this part; lines for machines, with times of this one."""

FORMS: dict[str, dict[str, Any]] = {
    "ask_table": {"variables": ["gender", "recruiter_friend"], "purpose": "a report"},
    "tell_withdrawal": {"scope": "person", "reason": "asked", "by": "case", "numbers": "nobody\n"},
    "invite": {"email": "s@example.org", "name": "<b>Sam</b>", "role": "auditor"},
    "language": {"language": "fr", "next": "/account/"},
    "return_delivery": {"reason": "other", "note": "please look again"},
    "withdraw_contributor": {"key": THEIRS, "reason": "agreement", "sure": "yes"},
    "decide_table": {"decision": "yes"},
    "column": {"act": "sure"},
    "columns": {"act": "keep", "why": "seen with the office"},
}
"""Filled forms by page, sent before the empty ones."""


def record(world: World, kept: Kept) -> None:
    """Keep every page."""
    with opened() as desk:
        with_accounts(desk)
        keys = _things(desk)
        _served(desk)
        Pages(kept, desk, keys).record()


class Pages:
    """Every page, for whoever asks.

    Args:
        kept: where they are kept.
        desk: whose pages.
        keys: by table the keys of rows that a page may be about.
    """

    def __init__(self, kept: Kept, desk: Desk, keys: dict[str, list[str]]) -> None:
        from tests.desk.desks import ROLES

        from ctdhub.desk.registry import pages

        self.kept, self.desk, self.keys = kept, desk, keys
        self.pages = [page for page in pages() if page.name not in LEFT_OUT]
        self.roles = (VISITOR, *ROLES)
        self._spoken: set[str] = set()

    def record(self) -> None:
        """All pages by role, then the forms."""
        for role in self.roles:
            self._looked_at(role)
        for form in ("filled", "empty"):
            self._sent(form)
        from django.apps import apps

        jobs = apps.get_model("desk", "Job").objects.order_by("created", "id")
        self.kept.text("jobs.txt", "\n".join(sorted(f"{one.what} {one.state}" for one in jobs)))

    def _looked_at(self, role: str) -> None:
        client = self.desk.client_of(role, raise_request_exception=False)
        elsewhere, met = [], set()
        for page in self.pages:
            for number, way in enumerate(self._ways(page)):
                if "GET" not in page.methods:
                    continue
                answer = client.get(way)
                name = f"{role or 'visitor'}/{page.name}-{number}"
                if answer.status_code == 200:
                    self.kept.text(f"{name}.html", _text(answer))
                    if way not in self._spoken:
                        self._spoken.add(way)
                        arabic = client.get(way, headers={"accept-language": "ar"})
                        self.kept.text(f"arabic/{page.name}-{number}.html", _text(arabic))
                    continue
                elsewhere.append(f"{page.name}-{number} {_status(answer)}")
                if answer.status_code >= 400 and answer.status_code not in met:
                    met.add(answer.status_code)
                    refused = f"{role or 'visitor'}/refused-{answer.status_code}.html"
                    self.kept.text(refused, _text(answer))
        self.kept.text(f"{role or 'visitor'}/elsewhere.txt", "\n".join(elsewhere))

    def _sent(self, form: str) -> None:
        """A form of each page, by the first role that may send it; the others are refused."""
        lines = []
        for page in self.pages:
            if "POST" not in page.methods or (form == "filled" and page.name not in FORMS):
                continue
            fields = FORMS[page.name] if form == "filled" else {}
            for role in self.roles:
                client = self.desk.client_of(role, raise_request_exception=False)
                answer = client.post(self._ways(page)[0], fields)
                lines.append(f"{page.name} {role or 'visitor'} {_status(answer)}")
                if answer.status_code in (200, 422):
                    self.kept.text(f"{form}/{page.name}.html", _text(answer))
                if answer.status_code not in (403, 404) and role:
                    break
        self.kept.text(f"{form}.txt", "\n".join(lines))

    def _ways(self, page: Any) -> list[str]:
        """The addresses of a page, with each thing that it may be about."""
        names = re.findall(r"<(?:\w+:)?(\w+)>", page.path)
        values = [self.keys[page.of] if n == "id" else PARTS.get(n, ("x",)) for n in names]
        return [_filled(page.path, given) for given in product(*values)]


def _filled(path: str, given: tuple[str, ...]) -> str:
    rest = iter(given)
    return "/" + re.sub(r"<[^>]+>", lambda _part: next(rest), path)


def _things(desk: Desk) -> dict[str, list[str]]:
    """Two deliveries that were sent and checked, and a made-up row of each organisation."""
    from tests.desk.sending import practice_file, rounds, sent, work
    from tests.desk.things import thing

    from ctdhub.desk.registry import pages

    rounds()
    client, file = desk.client_of("contributor"), practice_file(desk, OURS)
    deliveries = [
        sent(client, file.read_bytes(), file.suffix[1:]), sent(client, DIRTY.encode(), "csv"),
    ]  # fmt: skip
    work()
    tables = sorted({page.of for page in pages()} - {""})
    keys = {
        of: [str(getattr(row.pk, "hex", row.pk)) for row in _rows(desk, of, thing)] for of in tables
    }
    keys["Delivery"] = deliveries
    return keys


def _rows(desk: Desk, of: str, thing: Any) -> Iterator[Any]:
    for organisation in (OURS, "beacon-hotline"):
        yield thing(desk, of, organisation)


def _served(desk: Desk) -> None:
    """The process that answers, at its socket: it writes down what was looked at."""
    from tests.desk.desks import reachable

    from ctdhub.desk.channel import SOCKET
    from ctdhub.desk.worker.answering import serve

    place = desk.config.folder / SOCKET
    threading.Thread(target=serve, args=(place,), daemon=True).start()
    reachable(place)


def _status(answer: Any) -> str:
    return masked(f"{answer.status_code} {answer.headers.get('Location', '')}".strip())


def _text(answer: Any) -> str:
    """Status, kind and content of an answer."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    kind = answer.headers.get("Content-Type", "")
    return f"{answer.status_code} {kind}\n{masked(content.decode('utf-8', 'replace'))}"
