"""Practice contributions with a known truth: four invented contributors in four formats.

Belongs here: the generator, the writers, the mappings and agreements of invented contributors,
lists of invented names to practise linking on.
Does not belong here: real data, anything that reads contributions.

Everything in these files is invented; numpy's seeded generator is used here and in tests only.
"""

from ctdhub.practice.write import (
    CONTRIBUTION_DATE,
    CONTRIBUTORS,
    PEOPLE,
    PracticeSummary,
    Sent,
    write_practice,
)

__all__ = [
    "CONTRIBUTION_DATE",
    "CONTRIBUTORS",
    "PEOPLE",
    "PracticeSummary",
    "Sent",
    "write_practice",
]
