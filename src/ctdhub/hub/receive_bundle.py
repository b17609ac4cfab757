"""A bundle becomes a delivery; the card by which contributors make one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ctdhub.core.errors import MappingError, error
from ctdhub.core.files import sync, write_new
from ctdhub.core.keys.signing import SigningKey
from ctdhub.hub.contributions import mapping_file
from ctdhub.hub.folder import Hub
from ctdhub.hub.rules import policy
from ctdhub.release.approvals import ROLES
from ctdhub.sensitive.bundle import pack
from ctdhub.sensitive.bundle.card import CardAgreement, HubCard, SignedCard, sign_card
from ctdhub.sensitive.mapping.mapping_file import text_of

# --------------------------------------------------------------------------------------------------
# A bundle becomes a delivery: opened, checked, and laid where a build reads it.


@dataclass(frozen=True)
class ReceivedBundle:
    """What was laid down.

    Attributes:
        bundle: what the contributor signed.
        cases: the file of cases.
        mapping: where the mapping is.
        read_by_it: whether the hub reads the delivery by that mapping; where the hub has another
            one, the contributor's is next to it for the steward to compare.
    """

    bundle: pack.OpenedBundle
    cases: Path
    mapping: Path
    read_by_it: bool


def opened(hub: Hub, file: Path, identities: Sequence[Path]) -> pack.OpenedBundle:
    """A bundle that is for this hub, signed with a key that the agreement names.

    Raises:
        FileError: see :mod:`ctdhub.sensitive.bundle.pack`.
        PolicyError: the hub has no agreement with the contributor, or it has ended.
    """
    hub.work.mkdir(mode=0o700, exist_ok=True)
    bundle = pack.open_bundle(file, identities, hub.work)
    settings, agreement = hub.settings, hub.agreement(bundle.manifest.contributor)
    pack.check_bundle(bundle, settings.name, settings.recipients, agreement.senders, file.name)
    return bundle


def receive(hub: Hub, file: Path, identities: Sequence[Path], day: date) -> ReceivedBundle:
    """Open a bundle and lay its files where the next build reads them.

    Args:
        identities: files of the hub's age identities.
        day: the day on which it came.

    Raises:
        FileError: as :func:`opened`; or there is a delivery of that day already (rule
            "bundle-day").
    """
    bundle = opened(hub, file, identities)
    who = bundle.manifest.contributor
    folder = hub.root / "contributions" / who / day.isoformat()
    cases = folder / Path(pack.DATA).name
    if cases.exists():
        raise error("bundle-day", file=file, day=day.isoformat(), id=who)
    with hub.lock():
        mapping, read_by_it = lay_mapping(hub, who, bundle.mapping, day)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_new(cases, bundle.cases)
        sync(folder)
    return ReceivedBundle(bundle, cases, mapping, read_by_it)


def lay_mapping(hub: Hub, who: str, content: bytes, day: date) -> tuple[Path, bool]:
    """The mapping of a bundle: the hub's where it has none, else one from that day on.

    The contributor decided what its texts mean, so its mapping reads its delivery; the steward's
    earlier mapping keeps reading the earlier ones.
    """
    first = hub.mapping(who)
    place = first.with_suffix("") / f"{day.isoformat()}.yaml"
    if not first.exists() and not place.parent.exists():
        write_new(first, content, 0o644)
        return first, True
    with suppress(MappingError):  # the one that reads this day already says the same
        if (held := mapping_file(hub, who, day.isoformat())).read_bytes() == content:
            return held, True
    if place.exists():
        return place, place.read_bytes() == content
    place.parent.mkdir(exist_ok=True)
    write_new(place, content, 0o644)
    sync(place.parent)
    return place, True


def lay_apart(bundle: pack.OpenedBundle, out: Path) -> None:
    """Write the files of a bundle into a new folder that its owner alone can read.

    Raises:
        FileError: the folder exists (rule "bundle-exists").
    """
    if out.exists():
        raise error("bundle-exists", file=out)
    out.mkdir(mode=0o700)
    inside = {pack.DATA: bundle.cases, pack.MAPPING: bundle.mapping, pack.REPORT: bundle.report}
    for name, content in inside.items():
        write_new(out / Path(name).name, content)
    write_new(out / "manifest.json", bundle.manifest.message())
    sync(out)


# --------------------------------------------------------------------------------------------------
# The card that a hub gives to a contributor, made from settings, agreement and mapping.


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
    agreement = hub.agreement(contributor)
    if not settings.recipients:
        raise error("bundle-to-nobody", file="hub.yaml")
    if settings.approvers is None:
        raise error("approvers", file="hub.yaml")
    approvers: dict[str, tuple[str, ...]] = {r: settings.approvers.keys(r) for r in ROLES}
    if key.public not in approvers["steward"]:
        raise error("card-steward")
    words = {n: getattr(agreement, n) for n in CardAgreement.model_fields if n != "ends"}
    ends = agreement.ends.isoformat() if agreement.ends else None
    try:
        mapping = text_of(mapping_file(hub, contributor, today.isoformat()))
    except MappingError:
        mapping = ""  # the hub has none yet
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
        mapping=mapping,
        date=today.isoformat(),
    )
    return sign_card(card, key)
