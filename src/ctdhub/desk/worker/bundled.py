"""A bundle among the deliveries: opened and checked as the command line does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ctdhub.build.hub import Hub
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.receive_bundle import lay_mapping, opened
from ctdhub.core import atomic
from ctdhub.core.error_catalogue import error
from ctdhub.desk.worker.identities import identities

MAPPING = "mapping.yaml"
"""Name of the mapping of a bundle, next to its table."""


def unpack(hub: Hub, organisation: str, file: Path, table: Path) -> None:
    """Open a bundle: its cases become the table, its mapping lies next to it.

    Raises:
        HubError: it is damaged, for another hub, not signed by this organisation, or of another
            one (rule "delivery-whose").
    """
    bundle = opened(hub, file, identities(hub.root))
    if bundle.manifest.contributor != organisation:
        raise error("delivery-whose")
    atomic.write_whole(table.with_name(MAPPING), bundle.mapping)
    atomic.write_whole(table, bundle.cases)


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
