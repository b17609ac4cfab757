"""Indicators follow their flags in synthetic records: yes where some flag is yes, else no."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.dp import noise
from ctdhub.dp.policy import Domains
from ctdhub.schema.model import Schema

Draft = dict[str, npt.NDArray[np.uint16]]
"""Protected records as codes by column: 0 is "not recorded", k is the k-th public value."""


@dataclass(frozen=True)
class Indicators:
    """Which indicator follows which flags.

    Attributes:
        flags: flags of the released group by indicator, for groups released completely.
        partial: the same for groups that the policy releases in part.
    """

    flags: dict[str, tuple[str, ...]]
    partial: dict[str, tuple[str, ...]]
    yes: int = 1
    no: int = 2

    @classmethod
    def of(cls, domains: Domains, schema: Schema) -> Indicators:
        """Indicators and flags among the released columns."""
        whole, partial = {}, {}
        for v in schema.people:
            if v.any_of and v.name in domains:
                flags = schema.flags(v.any_of)
                released = tuple(f for f in flags if f in domains)
                if released == flags:
                    whole[v.name] = flags
                elif released:
                    partial[v.name] = released
        yes, no = (schema.codes["flag"].index(code) + 1 for code in ("yes", "no"))
        return cls(whole, partial, yes, no)

    @property
    def watched(self) -> frozenset[str]:
        """Indicators; they are fitted before their flags and stay from then on."""
        return frozenset({*self.flags, *self.partial})

    @property
    def gated(self) -> tuple[str, ...]:
        """Flags whose indicator decides what they may be."""
        return tuple(f for group in (self.flags, self.partial) for fs in group.values() for f in fs)

    def agree(
        self,
        records: Draft,
        totals: dict[str, npt.NDArray[np.float64]],
        source: noise.Bits = os.urandom,
    ) -> None:
        """Make flags agree with their indicators, in place.

        No flag is yes where the indicator is not; where it is, and the group is complete, some
        flag is, chosen by how many are yes in all.  Indicators are yes or no.

        Args:
            totals: noisy counts by code of each flag.
            source: random bits.
        """
        for indicator, flags in {**self.flags, **self.partial}.items():
            some = records[indicator] == self.yes
            records[indicator] = np.where(some, self.yes, self.no).astype(np.uint16)
            for flag in flags:
                closed = (records[flag] == self.yes) & ~some
                records[flag] = np.where(closed, self.no, records[flag])
            if indicator in self.flags:
                bare = np.flatnonzero(some & ~self._any(records, flags))
                share = np.cumsum([max(float(totals[f][self.yes]), 1.0) for f in flags])
                drawn = noise.uniform(bare.size, source)
                chosen = np.searchsorted(share / share[-1], drawn, side="right")
                for k, flag in enumerate(flags):
                    records[flag][bare[chosen == k]] = self.yes

    def kin(self, name: str) -> tuple[str, ...]:
        """A flag's indicator and all flags of its group."""
        for indicator, flags in {**self.flags, **self.partial}.items():
            if name in flags:
                return (indicator, *flags)
        return ()

    def gate(self, records: Draft, name: str) -> npt.NDArray[np.int64]:
        """What a flag may become: by record 0 anything, 1 not yes, 2 it must stay.

        Args:
            records: at least the columns of :meth:`kin`.
        """
        indicator, *flags = self.kin(name)
        gate = np.where(records[indicator] == self.yes, 0, 1)
        if indicator in self.flags:
            count = np.sum([records[f] == self.yes for f in flags], axis=0)
            gate[(count == 1) & (records[name] == self.yes)] = 2
        return gate

    def repair(self, records: Draft) -> None:
        """Set indicators by their flags: all of a complete group, only the yes of a partial one."""
        for indicator, flags in {**self.flags, **self.partial}.items():
            other = self.no if indicator in self.flags else records[indicator]
            records[indicator] = np.where(self._any(records, flags), self.yes, other)

    def _any(self, records: Draft, flags: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = np.any([records[f] == self.yes for f in flags], axis=0)
        return found
