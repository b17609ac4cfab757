"""Age identities of the worker, and bundles that are opened with them."""

import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

from ctdhub.core import files
from ctdhub.core.errors import HubError, error
from ctdhub.core.keys import age
from ctdhub.core.keys.signing import make_key
from ctdhub.desk.uploads.inbox import SealedFolder
from ctdhub.hub.contributions import mapping_file
from ctdhub.hub.folder import Agreement, Hub, read_settings
from ctdhub.hub.receive_bundle import lay_mapping, opened

# --------------------------------------------------------------------------------------------------
# Age identities of the worker: one for the inbox each month, and those that bundles are made to.
#
# They are files in ``keys/inbox/``, or in the folder that ``CTDHUB_INBOX_KEYS`` names, which the
# web process cannot read.  What came in a month can be opened by nobody any more once the identity
# of that month is destroyed, whatever copies of the inbox there are.

_MONTH = re.compile(r"inbox-(\d{4}-\d{2})\.key")
PAPERS = "papers.key"
"""That of the drawer of papers, which is never destroyed."""
BUNDLES, CARDS = "bundles.key", "card.pem"
"""What contributors encrypt bundles to, and the key that signs the hub's cards."""
_MARGIN = 3600.0
"""Seconds that a request may have read the recipients before they were replaced."""


def identity_folder(hub: Path) -> Path:
    """Where the identities are."""
    named = os.environ.get("CTDHUB_INBOX_KEYS")
    return Path(named) if named else hub / "keys" / "inbox"


def identities(hub: Path) -> list[Path]:
    """Identities of what is sent in, the newest month first, those of bundles last."""
    paths = sorted(identity_folder(hub).glob("*.key"), reverse=True)
    paths = [path for path in paths if path.name != PAPERS]
    return sorted(paths, key=lambda path: _MONTH.fullmatch(path.name) is None)


def renew(hub: Path, folder: SealedFolder, name: str, recovery: tuple[str, ...] = ()) -> None:
    """Have an identity, and let the web process encrypt to it from now on.

    Args:
        name: that of the month for the inbox, :data:`PAPERS` for the drawer of papers.
        recovery: recipients whose identities are kept elsewhere, for when this machine is lost.
    """
    own, file = identity_folder(hub) / name, folder.recipients_file
    own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_whole(own, age.make_identity)
    wanted = (*age.recipients_of(own), *recovery)
    if not file.is_file() or age.read_recipients(file) != wanted:
        age.write_recipients(file, wanted)


def make_hub_keys(hub: Path) -> str:
    """Have the keys for bundles and cards; gives the recipient to which bundles are encrypted."""
    folder = identity_folder(hub)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_whole(folder / BUNDLES, age.make_identity)
    _make_whole(folder / CARDS, make_key)
    return age.recipients_of(folder / BUNDLES)[0]


def has_hub_keys(hub: Hub) -> bool:
    """Whether cards can be signed, and the worker opens what is encrypted for them."""
    folder = identity_folder(hub.root)
    if not (folder / CARDS).is_file() or not (folder / BUNDLES).is_file():
        return False
    return not set(age.recipients_of(folder / BUNDLES)).isdisjoint(hub.settings.recipients)


def _make_whole(path: Path, make: Callable[[Path], object]) -> None:
    """Have a key: what a killed run leaves of one has another name, which nobody reads."""
    if path.exists():
        return
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    make(fresh)
    fresh.rename(path)
    files.sync(path.parent)


def destroy_months(hub: Path, waiting: Iterable[datetime]) -> list[str]:
    """Destroy the identities that nothing in the inbox can be encrypted to any more.

    Parts are encrypted to the newest identity that there was when they came, which is not that of
    their month where the worker was away.  So one is destroyed only if the next one was made an
    hour before everything that waits was begun.

    Args:
        waiting: when each delivery was begun that has parts in the inbox.

    Returns:
        The months whose identity was destroyed.
    """
    own = sorted(p for p in identity_folder(hub).glob("inbox-*.key") if _MONTH.fullmatch(p.name))
    first = min((begun.timestamp() for begun in waiting), default=datetime.now(UTC).timestamp())
    gone = []
    for path, following in pairwise(own):
        if following.stat().st_mtime + _MARGIN < first:
            gone.append(path.stem.removeprefix("inbox-"))
            path.unlink()
    return gone


# --------------------------------------------------------------------------------------------------
# A bundle among the deliveries: opened and checked as the command line does.

MAPPING = "mapping.yaml"
"""Name of the mapping of a bundle, next to its table."""


def unpack(hub: Hub, organisation: str, file: Path, table: Path) -> None:
    """Open a bundle: its cases become the table, its mapping lies next to it.

    Raises:
        HubError: it is damaged, for another hub, not signed by this organisation, or of another
            one (rule "delivery-whose").
    """
    try:
        bundle = opened(hub, file, identities(hub.root))
    except HubError as met:
        if met.name == "age-unreadable/recipient":
            raise error("bundle-other-hub") from None
        raise
    if bundle.manifest.contributor != organisation:
        raise error("delivery-whose")
    files.write_whole(table.with_name(MAPPING), bundle.mapping)
    files.write_whole(table, bundle.cases)


def rules_of(hub: Hub, organisation: str, day: str, table: Path) -> Path:
    """The mapping that reads a delivery: that of its bundle, unless the hub has one of its day.

    Raises:
        MappingError: there is none.
    """
    own = table.with_name(MAPPING)
    of_the_day = hub.mapping(organisation).with_suffix("") / f"{day}.yaml"
    if own.is_file() and not of_the_day.is_file():
        return own
    return mapping_file(hub, organisation, day)


def lay_rules(hub: Hub, organisation: str, day: str, table: Path) -> None:
    """Put the mapping of a bundle into the hub, where it reads this delivery; may be done again."""
    own = table.with_name(MAPPING)
    if own.is_file():
        lay_mapping(hub, organisation, own.read_bytes(), date.fromisoformat(day))


# --------------------------------------------------------------------------------------------------
# The agreement of an organisation, as the folder has it now.


def agreement_of(hub: Hub, organisation: str, today: date | None = None) -> Agreement:
    """The agreement in force.

    Args:
        today: the day of asking, in UTC.

    Raises:
        PolicyError: there is none, it has faults, or it has ended (rule "agreement").
    """
    path = hub.root / "contributors" / f"{organisation}.yaml"
    agreement = read_settings(path, Agreement)
    if agreement.ends and agreement.ends < (today or datetime.now(UTC).date()):
        raise error("agreement/ended", file=path, id=organisation, day=agreement.ends.isoformat())
    return agreement
