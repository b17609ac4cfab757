"""k-anonymity, the named second mode: for one-off files, by local suppression.

Belongs here: what makes every record equal to at least k - 1 others, and the account of the cost.
Does not belong here: differential privacy, which stays the default: k-anonymity does not compose,
so no ledger entry can cover it.
"""

from ctdhub.protect.kanon.account import RISK_GOAL, Account
from ctdhub.protect.kanon.suppress import suppress
from ctdhub.protect.kanon.table import SUPPRESSED, Anonymised, anonymise

__all__ = ["RISK_GOAL", "SUPPRESSED", "Account", "Anonymised", "anonymise", "suppress"]
