"""The hub folder: what a steward owns, read into checked values."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ctdhub.build.contribution import Contribution
from ctdhub.build.person_rows import row_facts
from ctdhub.build.settings import SOURCE_KINDS, Agreement, HubSettings, read_settings
from ctdhub.core.atomic import sweep, write_whole
from ctdhub.core.days import is_day
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.lock import locked
from ctdhub.release.approvals import CANDIDATES
from ctdhub.release.approvers import Role
from ctdhub.sensitive.consent.entry import Withdrawal, delivery_mark
from ctdhub.sensitive.consent.in_force import InForce, in_force
from ctdhub.sensitive.consent.register import Register, other_key

SOON = 60
"""Days before the end of an agreement from which on `ctdhub check` speaks of it."""


@dataclass(frozen=True)
class Hub:
    """A hub folder.  Opening it checks only that it is one; settings are read when asked for.

    Raises:
        HubFolderError: the folder has no hub.yaml.
    """

    root: Path

    def __post_init__(self) -> None:
        if not (self.root / "hub.yaml").is_file():
            raise error("hub-folder", file=self.root)

    @property
    def settings(self) -> HubSettings:
        """hub.yaml, checked."""
        return read_settings(self.root / "hub.yaml", HubSettings)

    @property
    def policy_file(self) -> Path:
        """policy.yaml: columns, bounds, epsilon, delta, budget."""
        return self.root / "policy.yaml"

    @property
    def ledger(self) -> Path:
        """The folder of the privacy ledger."""
        return self.root / "ledger"

    @property
    def releases(self) -> Path:
        """The folder of immutable releases."""
        return self.root / "releases"

    @property
    def candidates(self) -> Path:
        """The folder of finished releases that wait for approval."""
        return self.root / CANDIDATES

    @property
    def stories(self) -> Path:
        """The folder of the stories that the site tells; it need not exist."""
        return self.root / "stories"

    @property
    def site(self) -> Path:
        """The folder of the generated site."""
        return self.root / "site"

    @property
    def work(self) -> Path:
        """Derived, sensitive; can be deleted and rebuilt."""
        return self.root / "work"

    def mapping(self, contributor: str) -> Path:
        """The mapping file of a contributor that reads from its first delivery on."""
        return self.root / "mappings" / f"{contributor}.yaml"

    def agreements(self) -> tuple[Agreement, ...]:
        """All contributors' agreements, by id.

        Raises:
            PolicyError: an agreement has faults, or its id is not its file's name.
        """
        found = []
        for path in sorted((self.root / "contributors").glob("*.yaml")):
            agreement = read_settings(path, Agreement)
            if agreement.id != path.stem or agreement.kind not in SOURCE_KINDS:
                raise error("agreement", file=path, kinds=", ".join(SOURCE_KINDS))
            found.append(agreement)
        return tuple(found)

    @property
    def withdrawals(self) -> Register:
        """The register of withdrawals; its last line is named beside the ledger."""
        head = self.ledger / "withdrawals-head"
        return Register(self.root / "withdrawals", head, self.person_key())

    def withdrawn(self) -> InForce:
        """The withdrawals in force.

        Raises:
            WithdrawalError: the register was changed, or the person key is another.
        """
        return in_force(self.withdrawal_lines())

    def withdrawal_lines(self) -> tuple[Withdrawal, ...]:
        """All lines of the register; without one no person key is needed.

        Raises:
            WithdrawalError: as :meth:`withdrawn`.
        """
        places = (self.root / "withdrawals", self.ledger / "withdrawals-head")
        if not any(place.exists() for place in places):
            return ()
        if not self.key_file.exists():
            raise other_key(self.root / "withdrawals")
        return self.withdrawals.entries()

    def contributions(self) -> tuple[Contribution, ...]:
        """Raw files that a build reads: those that nobody withdrew, nor their contributor."""
        force, received = self.withdrawn(), self.received()
        out = set(self._erased(force, received))
        return tuple(
            c for c in received if c.contributor not in force.contributors and c not in out
        )

    def refuse_withdrawn_files(self) -> None:
        """Refuse to go on while a file is there whose delivery was withdrawn.

        Its erasure was cut off, or it is back from a copy.

        Raises:
            HubFolderError: there is one.
        """
        for found in self._erased(self.withdrawn(), self.received()):
            raise error(
                "delivery-withdrawn", file=found.file, id=found.contributor, date=found.date
            )

    def _erased(self, force: InForce, received: tuple[Contribution, ...]) -> Iterator[Contribution]:
        """Files that were to be erased; those of who withdrew no delivery are not opened."""
        for one in received:
            if marks := force.deliveries_of(one.contributor):
                made = delivery_mark(self.person_key(), one.contributor, one.date, one.sha256)
                if made in marks:
                    yield one

    def received(self) -> tuple[Contribution, ...]:
        """All raw files, by contributor, date and name.

        Raises:
            HostileFile: something there is no file but a link, a folder, a pipe or a device.
            HubFolderError: a file lies under a contributor without agreement, or in no folder that
                is named by the day on which it came.
        """
        known = {a.id for a in self.agreements()}
        found = []
        for place in sorted((self.root / "contributions").glob("*/*")):
            if place.is_symlink():  # it may lead to the files of another contributor
                _refuse_irregular(place)
            fit = is_day(place.name) or not any(place.glob("[!.]*")) if place.is_dir() else False
            if not fit and not place.name.startswith("."):
                raise error("delivery-date", file=place, id=printable(place.parent.name))
        for file in sorted((self.root / "contributions").glob("*/*/*")):
            if file.name.startswith("."):
                continue
            contributor, date = file.parts[-3:-1]
            if contributor not in known:
                raise error("agreement/missing", file=file.parent.parent, id=contributor)
            _refuse_irregular(file)
            found.append(Contribution(contributor, date, file))
        return tuple(found)

    def check_terms(self, today: date | None = None) -> tuple[Agreement, ...]:
        """Agreements that end within :data:`SOON` days, of contributors whose files are read.

        Args:
            today: the day of asking, in UTC.

        Raises:
            PolicyError: one has ended, so its files may be read no more.
        """
        day = today or datetime.now(UTC).date()
        reading = {c.contributor for c in self.contributions()}
        ending = [a for a in self.agreements() if a.id in reading and a.ends]
        for agreement in ending:
            if agreement.ends and agreement.ends < day:
                path = self.root / "contributors" / f"{agreement.id}.yaml"
                ended = agreement.ends.isoformat()
                raise error("agreement/ended", file=path, id=agreement.id, day=ended)
        return tuple(a for a in ending if a.ends and a.ends - day <= timedelta(days=SOON))

    def limits(self) -> dict[str, float | None]:
        """Epsilon that each contributor's agreement allows in all, None where it sets no limit."""
        return {a.id: a.budget_limit for a in self.agreements()}

    def facts(self, years: tuple[int, int]) -> dict[str, Any]:
        """Public facts that a release carries; none of them comes from case data.

        The contributors are those that sent files and did not withdraw; an agreement alone puts no
        records in.
        """
        settings = self.settings
        sent: dict[str, list[str]] = {}
        for given in self.contributions():
            sent.setdefault(given.contributor, []).append(given.date)
        return {
            "hub": settings.name,
            **({"hub_names": dict(settings.names)} if settings.names else {}),
            "contributors": [
                {
                    "id": a.id,
                    "name": a.name,
                    "kind": a.kind,
                    "years": list(a.years or years),
                    "deliveries": sorted(set(sent[a.id])),
                    **({"names": dict(a.names)} if a.names else {}),
                    **({"breaks": [b.as_facts() for b in a.breaks]} if a.breaks else {}),
                    **({} if a.show_counts else {"show_counts": False}),
                    **row_facts(self, a, sent[a.id]),
                }
                for a in self.agreements()
                if a.id in sent
            ],
            "years": list(years),
            "schema_version": settings.schema_version,
            "languages": list(settings.languages),
            "licence": settings.licence,
            "invented": settings.invented,
            "homepage": settings.homepage,
            "helpline": "",  # read from the hub whenever a page is made, never frozen
        }

    def practice_key(self, role: Role) -> Path:
        """Where a practice hub, and no other, keeps the private key of a role."""
        return self.root / "keys" / f"practice-{role}.pem"

    @property
    def ledger_key(self) -> Path:
        """Where the key of the ledger's MACs lies."""
        return self.root / "keys" / "ledger.key"

    @property
    def key_file(self) -> Path:
        """Where the person key lies."""
        return self.root / "keys" / "person.key"

    def person_key(self) -> bytes:
        """The hub's secret for hashing case numbers, made at first need; never leaves the hub.

        Raises:
            HubFolderError: it is lost: what was made with it is there.
        """
        path = self.key_file
        if not path.exists():
            made = (self.work / "harmonised", self.releases, self.candidates)
            lines = self.ledger / "ledger.jsonl"
            if any(any(p.glob("[!.]*")) for p in made) or (lines.exists() and lines.stat().st_size):
                raise error("person-key", file=path)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            sweep(path.parent, path.name)
            write_whole(path, secrets.token_bytes(32))
        return path.read_bytes()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the hub for one build; the lock dies with the process.

        Raises:
            HubFolderError: another build holds it.
            HubError: this system has no locks.
        """
        self.work.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.work / ".lock", wait=False))
            except BlockingIOError:
                raise error("lock", file=self.root) from None
            yield


def _refuse_irregular(path: Path) -> None:
    """Refuse what is no file before it is opened: a pipe would let its reader wait for ever."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise error("not-a-file", file=printable(path.name))
