"""Indicators follow their flags in protected records: "any" is yes where some flag is yes, else no.

Belongs here: the rule that ``link`` derives indicators by, held in records that are made up.
Does not belong here: fitting the records to tables (``polish``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.protect.policy import Domains
from ctdhub.schema import Schema

Draft = dict[str, npt.NDArray[np.int64]]
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

    def repair(self, records: Draft) -> None:
        """Set indicators by their flags: all of a complete group, only the yes of a partial one."""
        for indicator, flags in {**self.flags, **self.partial}.items():
            some = np.any([records[f] == self.yes for f in flags], axis=0)
            other = self.no if indicator in self.flags else records[indicator]
            records[indicator] = np.where(some, self.yes, other)
