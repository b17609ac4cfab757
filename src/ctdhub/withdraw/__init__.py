"""Withdrawals: who may no longer be in the data, without knowing who it is.

Belongs here: the register of withdrawals, and which records it leaves out.
Does not belong here: reading files (``harmonise``), joining records (``link``), questions to a
user (``cli``), what a build does with it (``stages``).
"""

from ctdhub.withdraw.entry import REASONS, Entry, Reason, Scope
from ctdhub.withdraw.force import InForce, in_force
from ctdhub.withdraw.match import RULE, Filed, also_known, left_out, mark
from ctdhub.withdraw.register import LedgerHead, Register, other_key

__all__ = [
    "REASONS",
    "RULE",
    "Entry",
    "Filed",
    "InForce",
    "LedgerHead",
    "Reason",
    "Register",
    "Scope",
    "also_known",
    "in_force",
    "left_out",
    "mark",
    "other_key",
]
