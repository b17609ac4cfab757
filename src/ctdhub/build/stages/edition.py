"""What a hub shows beside its release."""

from __future__ import annotations

from ctdhub.build.hub import Hub
from ctdhub.build.paid import budget_split, ledger, published
from ctdhub.build.rules import policy
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.report import by_kind
from ctdhub.site.accounts import PublishedSpending
from ctdhub.site.edition import Edition


def edition(hub: Hub, url: str | None = None, *, offline: bool = False) -> Edition:
    """The edition of a hub's site.

    Args:
        url: public address of the site; that of ``hub.yaml`` where none is given.
        offline: see :class:`ctdhub.site.edition.Edition`.

    Raises:
        HubError: a file of the hub has faults.
    """
    settings = hub.settings
    address = settings.site.url if url is None else url
    return Edition.of(
        hub.root,
        address,
        offline=offline,
        spending=spending(hub),
        helpline=settings.helpline,
        lead={str(code): text for code, text in settings.site.lead.items()},
        place=settings.site.place,
        contact=settings.contact,
        exits={str(code): url for code, url in settings.exit.items()},
    )


def spending(hub: Hub) -> PublishedSpending:
    """What readers are shown of the ledger: nothing that tells of answers that were not published.

    Raises:
        HubError: the ledger or a manifest is damaged.
    """
    book, rules, shown = ledger(hub), policy(hub), published(hub)
    split = budget_split(hub, rules)
    known = [e for e in book.entries() if e.kind != "release" or e.id in shown]
    return PublishedSpending(
        charges=tuple((s.name, s.charges, s.epsilon) for s in by_kind(known, split.delta)),
        reserve=epsilon_of(split.reserve, split.delta),
        epsilon=split.shown,
        budget=rules.budget.epsilon,
        delta=split.delta,
    )
