"""The card that a hub gives to a contributor, made from settings, agreement and mapping."""

from __future__ import annotations

from datetime import date

from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.rules import policy
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import MappingError, printable
from ctdhub.core.keys.signing import SigningKey
from ctdhub.release.approvers import ROLES
from ctdhub.sensitive.bundle.card import CardAgreement, HubCard, SignedCard, sign_card
from ctdhub.sensitive.mapping.mapping_file import text_of


def hub_card(hub: Hub, contributor: str, key: SigningKey, today: date) -> SignedCard:
    """The card for a contributor, signed by the steward.

    Args:
        contributor: id of its agreement.
        key: the steward's.
        today: the day that is on it, UTC.

    Raises:
        PolicyError: there is no such contributor; hub.yaml names no recipients (rule
            "bundle-to-nobody") or no approvers; the key is not the steward's (rule "card-steward").
    """
    settings = hub.settings
    known = {a.id: a for a in hub.agreements()}
    if contributor not in known:
        raise error("contributor", id=printable(contributor), ids=", ".join(known) or "–")
    if not settings.recipients:
        raise error("bundle-to-nobody", file="hub.yaml")
    if settings.approvers is None:
        raise error("approvers", file="hub.yaml")
    approvers: dict[str, tuple[str, ...]] = {r: settings.approvers.keys(r) for r in ROLES}
    if key.public not in approvers["steward"]:
        raise error("card-steward")
    agreement = known[contributor]
    words = {n: getattr(agreement, n) for n in CardAgreement.model_fields if n != "ends"}
    ends = agreement.ends.isoformat() if agreement.ends else None
    card = HubCard(
        hub=settings.name,
        invented=settings.invented,
        schema_version=settings.schema_version,
        years=policy(hub).years,
        recipients=settings.recipients,
        approvers=approvers,
        contributor=agreement.id,
        contributor_name=agreement.name,
        contributor_kind=agreement.kind,
        senders=agreement.senders,
        agreement=CardAgreement(**words, ends=ends),
        mapping=_mapping(hub, contributor, today),
        date=today.isoformat(),
    )
    return sign_card(card, key)


def _mapping(hub: Hub, contributor: str, today: date) -> str:
    """The mapping that reads today's delivery, "" where the hub has none yet."""
    try:
        return text_of(mapping_file(hub, contributor, today.isoformat()))
    except MappingError:
        return ""
