"""Which withdrawals are in force, after all lines of the register."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ctdhub.sensitive.consent.entry import WAY, Withdrawal


@dataclass(frozen=True)
class InForce:
    """Withdrawals in force.

    Attributes:
        entries: the line of each, the last one where it was told twice.
        renewed: by contributor, the tokens (see ``Withdrawal.made``) for which it told the hub anew
            who withdrew.
        decided: by contributor and quarter, how many people of other contributors the steward lets
            its withdrawals take out.
        seen: marks of rows that share the number of a case with somebody who withdrew, and are not
            hers.
    """

    entries: tuple[Withdrawal, ...]
    renewed: Mapping[str, frozenset[str]]
    seen: frozenset[str] = frozenset()
    decided: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def persons(self) -> frozenset[str]:
        """Marks of people who withdrew everywhere."""
        return frozenset(e.mark for e in self.entries if e.scope == "person")

    def records_at(self, contributor: str) -> frozenset[str]:
        """Marks of people whose records this contributor took back."""
        return frozenset(
            e.mark for e in self.entries if e.scope == "records" and e.contributor == contributor
        )

    def deliveries_of(self, contributor: str) -> frozenset[str]:
        """Marks of files of deliveries of this contributor that were withdrawn."""
        return frozenset(
            e.mark for e in self.entries if e.scope == "delivery" and e.contributor == contributor
        )

    def told_by(self, contributor: str) -> InForce:
        """What this contributor told, and nothing of what others did."""
        own = tuple(e for e in self.entries if e.contributor == contributor)
        return InForce(own, self.renewed, self.seen)

    @property
    def chosen(self) -> frozenset[str]:
        """Marks of cases of which rows were chosen: the others are of somebody else."""
        return frozenset(e.because for e in self.entries) - {e.mark for e in self.entries} - {""}

    @property
    def contributors(self) -> frozenset[str]:
        """Contributors that withdrew."""
        return frozenset(e.contributor for e in self.entries if e.scope == "contributor")

    @property
    def charges(self) -> int:
        """How many charges the ledger had at the last of them, 0 without any."""
        return max((e.charges for e in self.entries), default=0)

    @property
    def state(self) -> str:
        """Hash of what is in force: the same before a withdrawal and after it was undone."""
        what = sorted((e.scope, e.contributor, e.mark, e.because) for e in self.entries)
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()

    def lost(self, contributor: str, ways: frozenset[str]) -> bool:
        """Whether people whom it told as withdrawn would not be recognised in its files of today.

        Args:
            ways: how these tell people apart, texts that begin with ``entry.WAY``.
        """
        told = {m for e in self.entries if e.contributor == contributor for m in e.made}
        before = {m for m in told if m.startswith(WAY)}
        renewed = self.renewed.get(contributor, frozenset())
        return not (before <= ways or ways <= renewed)

    def told_for(self, contributor: str) -> frozenset[str] | None:
        """Tokens for which the hub knows of everybody who withdrew; None where they play no part.

        Tokens that were made anew find nobody who withdrew under the ones before.
        """
        told = [e.made for e in self.entries if e.contributor == contributor]
        each = [frozenset(m for m in made if not m.startswith(WAY)) for made in told]
        made = [one for one in each if one]
        if not made:
            return None
        return frozenset.intersection(*made) | self.renewed.get(contributor, frozenset())


def in_force(entries: Iterable[Withdrawal]) -> InForce:
    """What is in force after these lines.

    >>> gone = Withdrawal("withdrawal", "person", "our-ngo", "ab")
    >>> back = Withdrawal("undo", "person", "our-ngo", "ab")
    >>> len(in_force([gone]).persons), in_force([gone, back]).state == in_force([]).state
    (1, True)
    """
    found: dict[tuple[str, ...], Withdrawal] = {}
    renewed: dict[str, frozenset[str]] = {}
    seen: set[str] = set()
    decided: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.contributor, entry.scope, entry.mark, entry.because)
        if entry.kind == "withdrawal":
            found[key] = entry
        elif entry.kind == "undo":
            found.pop(key, None)
        elif entry.kind == "renewal" and entry.mark:
            seen.add(entry.mark)
        elif entry.kind == "decided":
            for one in entry.made:
                when, number = one.split(":")
                decided[entry.contributor, when] = int(number)
        elif entry.kind == "renewal":
            before = renewed.get(entry.contributor, frozenset())
            renewed[entry.contributor] = before | frozenset(entry.made)
    return InForce(tuple(found.values()), renewed, frozenset(seen), decided)


def reported(entries: Iterable[Withdrawal], contributor: str) -> tuple[Withdrawal, ...]:
    """The lines of what a contributor reported, as if no steward had decided about them.

    That there was something to decide depends on the records of others: so neither the decision nor
    what it wrote is among them, and who was kept to the contributor's own records counts as before.

    >>> gone = Withdrawal("withdrawal", "person", "our-ngo", "ab", time="1")
    >>> kept = (replace(gone, kind="undo", time="2"), replace(gone, scope="records", time="2"))
    >>> reported([gone, *kept, Withdrawal("decided", "contributor", "our-ngo")], "our-ngo") == (
    ...     gone,
    ... )
    True
    """
    own = [e for e in entries if e.contributor == contributor and e.kind != "decided"]

    def lines(kind: str, scope: str) -> set[tuple[str, str, str]]:
        return {(e.time, e.mark, e.because) for e in own if (e.kind, e.scope) == (kind, scope)}

    decided = lines("undo", "person") & lines("withdrawal", "records")
    moved: set[tuple[str, str]] = set()
    found = []
    for entry in own:
        told = (entry.mark, entry.because)
        if (entry.time, *told) in decided and (entry.kind, entry.scope) in _MOVED:
            moved.add(told)
        else:
            mine = entry.scope == "records" and told in moved
            found.append(replace(entry, scope="person") if mine else entry)
    return tuple(found)


_MOVED = {("undo", "person"), ("withdrawal", "records")}
"""The two lines by which the steward keeps a withdrawal to the records of its contributor."""
