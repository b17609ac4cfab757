"""What readers of a language call the hub and its contributors."""

from __future__ import annotations

from ctdhub.core.i18n import current
from ctdhub.release.facts import Contributor, PublicFacts


def called(one: PublicFacts | Contributor) -> str:
    """The name of a hub, or of a contributor, in the language in force.

    For pages and documents of one language; files that all languages share have the one name.
    """
    if isinstance(one, PublicFacts):
        return one.hub_names.get(current(), one.hub)
    return one.names.get(current(), one.name)
