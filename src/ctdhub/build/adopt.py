"""A hub that was copied, moved or put back: its ledger goes on in this folder."""

from __future__ import annotations

from functools import partial

from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.paid import check_known, check_paid
from ctdhub.dp.ledger import adopt as ledgers
from ctdhub.dp.ledger.adopt import Adopted


def adopt(hub: Hub) -> Adopted:
    """Let the hub charge in this folder, and no other; what this copy lacks counts as spent.

    Raises:
        LedgerTampered: a line was changed, the ledger or its key is gone, or the ledger does not
            know what its releases, approvals or withdrawals saw of it.
        LedgerError: there is no state folder; the system refuses.
        HubFolderError: a build is at work.
    """
    with hub.lock(), noted(hub, "adopt"):
        found = ledgers.adopt(hub.ledger, hub.root, hub.ledger_key, partial(check_known, hub))
        check_paid(hub)
        return found
