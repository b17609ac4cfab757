"""From people to protected counts and records, paid for in the ledger.

Belongs here: everything that turns sensitive people into Protected values, and its bookkeeping.
Does not belong here: reading files (``intake``), writing releases (``release``).
"""

from ctdhub.protect.border import COUNTS, Estimate, Guarantee, Protected
from ctdhub.protect.default_policy import DEFAULT_POLICY_YAML
from ctdhub.protect.engine import ENGINE, protect
from ctdhub.protect.ledger import Entry, Ledger
from ctdhub.protect.policy import Budget, Policy, Weights, load_policy

__all__ = [
    "COUNTS",
    "DEFAULT_POLICY_YAML",
    "ENGINE",
    "Budget",
    "Entry",
    "Estimate",
    "Guarantee",
    "Ledger",
    "Policy",
    "Protected",
    "Weights",
    "load_policy",
    "protect",
]
