"""Rounds of counts between fictitious contributors, and what somebody can read of one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from ctdhub.dp.secagg import messages
from ctdhub.dp.secagg.masks import Cells, Secret
from ctdhub.dp.secagg.messages import Masked, Revealed, Round, SumRequest, Terms
from ctdhub.dp.standalone.domains import DomainsFile, load_domains

NAMES = ("casework", "clinic", "hotline", "refuge", "shelter")

DOMAINS = """
version: 1
columns:
  year: {years: [2020, 2023]}
  gender: [female, male, other]
  age: {values: ["0-17", "18+"], not_recorded: ["", "-99"]}
  debt: [yes, no]
"""


def stream(seed: bytes) -> Callable[[int], bytes]:
    """Bytes that a seed decides, in place of the operating system's."""
    number = count()

    def source(size: int) -> bytes:
        return hashlib.shake_256(seed + next(number).to_bytes(8, "big")).digest(size)

    return source


def domains(folder: Path) -> DomainsFile:
    path = folder / "domains.yaml"
    path.write_text(DOMAINS, "utf-8")
    return load_domains(path)


def lay_table(path: Path, seed: str, rows: int = 200) -> list[str]:
    """A fictitious table as CSV; gives its lines without the header."""
    draw = stream(seed.encode())

    def one(of: list[str]) -> str:
        return of[draw(1)[0] % len(of)]

    lines = [
        ",".join(
            (
                one(["2020", "2021", "2022", "2023"]),
                one(["female", "female", "male", ""]),
                one(["0-17", "18+", "-99"]),
                one(["yes", "no", ""]),
            )
        )
        for _ in range(rows)
    ]
    path.write_text("\n".join(["year,gender,age,debt", *lines]) + "\n", "utf-8")
    return lines


@dataclass
class Play:
    """A round on messages alone, in which every side's randomness follows from a seed."""

    names: tuple[str, ...] = NAMES
    threshold: int = 4
    seed: bytes = b"a round"
    hub: Secret = field(init=False)
    secrets: dict[str, Secret] = field(init=False)
    round: Round = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Secret.new(stream(self.seed + b"hub"))
        self.secrets = {n: Secret.new(stream(self.seed + n.encode())) for n in self.names}
        terms = Terms(
            number=self.seed.hex().ljust(32, "0")[:32],
            epsilon=1.0,
            delta=1e-6,
            max_people=10_000,
            liars=1,
            domains=DomainsFile.model_validate({"version": 1, "columns": {"a": ["x"]}}),
            contributors=tuple(sorted(self.names)),
            known_to=1,
            hub=self.hub.public,
        )
        keys = {n: secret.public for n, secret in self.secrets.items()}
        self.round = Round(terms=terms, keys=keys, threshold=self.threshold)

    def side(self, name: str) -> messages.PartySide:
        secret = self.hub if name == messages.HUB else self.secrets[name]
        return messages.PartySide(self.round, name, secret)

    def masked(self, counts: dict[str, Cells]) -> dict[str, tuple[Masked, bytes]]:
        return {
            name: messages.masked(
                self.side(name), numbers, stream(self.seed + b"mask" + name.encode())
            )
            for name, numbers in counts.items()
        }

    def request(self, sent: dict[str, tuple[Masked, bytes]]) -> SumRequest:
        received = {n: (m, hashlib.sha256(body).hexdigest()) for n, (m, body) in sent.items()}
        return messages.request(self.round, received)

    def revealed(self, asked: SumRequest, who: Iterable[str]) -> dict[str, Revealed]:
        return {
            n: messages.revealed(self.side(n), asked, stream(self.seed + b"show" + n.encode()))
            for n in who
        }

    def total(
        self,
        sent: dict[str, tuple[Masked, bytes]],
        asked: SumRequest,
        answers: dict[str, Revealed],
    ) -> Cells:
        hub = self.side(messages.HUB)
        opened = ((n, *messages.opened(hub, n, sent[n][1])) for n in asked.bodies)
        shares = {n: messages.shares_of(hub, asked, a) for n, a in answers.items()}
        return messages.total(hub, asked, shares, opened)


def numbers(seed: str, cells: int, most: int = 50) -> Cells:
    """Fictitious counts."""
    drawn = np.frombuffer(stream(seed.encode())(4 * cells), dtype="<u4")
    return (drawn % np.uint32(most)).astype(np.uint32)
