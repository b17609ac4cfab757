"""A bundle becomes a delivery; the card by which contributors make one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from ctdhub.core.errors import MappingError, error
from ctdhub.core.files import sync, write_new
from ctdhub.core.keys.signing import SigningKey
from ctdhub.hub.agreements import hash_of_agreement, write_agreement, write_hub_settings
from ctdhub.hub.contributions import mapping_file
from ctdhub.hub.folder import Hub, noted, policy
from ctdhub.release.approvals import ROLES
from ctdhub.sensitive.bundle import pack
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
    with hub.lock():
        if cases.exists():
            raise error("bundle-day", file=file, day=day.isoformat(), id=who)
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
        if (path := mapping_file(hub, who, day.isoformat())).read_bytes() == content:
            return path, True
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


def hub_card(
    hub: Hub, contributor: str, key: SigningKey, today: date | None = None
) -> pack.SignedCard:
    """The card for a contributor, signed by the steward or, without a day, by the desk.

    Args:
        contributor: id of its agreement.
        key: the steward's, or the one that the desk made for its cards.
        today: the day that is on it, UTC.  None for the desk, which gives a card out whenever
            somebody asks: the day of the last change of what is on it, so that it stays the same.

    Raises:
        PolicyError: there is no such contributor; hub.yaml names no recipients (rule
            "bundle-to-nobody"); with a day, it names no approvers (rule "approvers"), or the key is
            not the steward's (rule "card-steward").
        MappingError: there is a mapping, and it cannot be read.
    """
    settings = hub.settings
    agreement = hub.agreement(contributor)
    if not settings.recipients:
        raise error("bundle-to-nobody", file="hub.yaml")
    known = settings.approvers
    if today is not None and known is None:
        raise error("approvers", file=hub.root / "hub.yaml")
    approvers: dict[str, tuple[str, ...]] = {r: known.keys(r) for r in ROLES} if known else {}
    if today is not None and key.public not in approvers.get("steward", ()):
        raise error("card-steward")
    words = {n: getattr(agreement, n) for n in pack.CardAgreement.model_fields if n != "ends"}
    ends = agreement.ends.isoformat() if agreement.ends else None
    now, mapping = datetime.now(UTC).date(), ""
    places = [hub.root / "hub.yaml", hub.policy_file, hub.agreement_file(contributor)]
    try:
        places.append(mapping_file(hub, contributor, (today or now).isoformat()))
        mapping = text_of(places[-1])
    except MappingError as met:
        if met.rule != "no-mapping":  # one that has faults is not one that is still to come
            raise
    changed = max(place.stat().st_mtime for place in places)
    day = today or min(datetime.fromtimestamp(changed, UTC).date(), now)
    card = pack.HubCard(
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
        agreement=pack.CardAgreement(**words, ends=ends),
        mapping=mapping,
        date=day.isoformat(),
    )
    return pack.sign_card(card, key)


# --------------------------------------------------------------------------------------------------
# Keys that are written into the hub: to whom bundles are encrypted, and who signs them.
#
# Each may be done again after a kill: what is there already is not written.


def name_recipient(hub: Hub, recipient: str) -> None:
    """Let cards name an age recipient, next to those that hub.yaml has.

    Raises:
        PolicyError: hub.yaml can only be changed by hand (rule "bundle-to-nobody").
        HubFolderError: a build is at work.
    """
    with hub.lock():
        known = hub.settings.recipients
        if recipient in known:
            return
        by_hand = error("bundle-to-nobody/by-hand", file=hub.root / "hub.yaml", key=recipient)
        with noted(hub, "recipients", recipient=recipient):
            write_hub_settings(hub, {"recipients": [*known, recipient]}, by_hand)


def sender_of(hub: Hub, contributor: str, content: bytes) -> str:
    """The key in the file of a contributor, if it may become one with which it signs.

    Raises:
        FileError: it is no file of a key (rule "sender-key"), made for another hub or contributor
            ("sender-key/whose"), or another contributor signs with it ("sender-key/taken").
        PolicyError: an agreement has faults, so that nobody knows the last.
    """
    made = pack.parse_key_file(content)
    if (made.hub, made.contributor) != (hub.settings.name, contributor):
        raise error("sender-key/whose")
    if any(made.key in one.senders for one in hub.agreements() if one.id != contributor):
        raise error("sender-key/taken")
    return made.key


def name_sender(hub: Hub, contributor: str, key: str, *, signs: bool) -> None:
    """Write into an agreement that the contributor signs with a key, or no more; see
    :func:`~ctdhub.hub.agreements.write_agreement` for what it raises.
    """
    base, known = hash_of_agreement(hub, contributor), hub.agreement(contributor).senders
    if (key in known) != signs:
        senders = [*known, key] if signs else [one for one in known if one != key]
        write_agreement(hub, contributor, {"senders": senders or None}, base)
