"""What readers of a language call the hub and its contributors."""

from __future__ import annotations

from collections.abc import Sequence

from ctdhub.core.i18n import current
from ctdhub.release.facts import Contributor, PublicFacts


def called(one: PublicFacts | Contributor) -> str:
    """The name of a hub, or of a contributor, in the language in force.

    For pages and documents of one language; files that all languages share have the one name.
    """
    if isinstance(one, PublicFacts):
        return one.hub_names.get(current(), one.hub)
    return one.names.get(current(), one.name)


def called_all(names: Sequence[str], facts: PublicFacts | None) -> tuple[str, ...]:
    """Contributors as readers of the language in force call them.

    Args:
        names: each contributor's one name, as numbers and breaks have it.
        facts: of the release; None keeps the one name, for files that all languages share.
    """
    here = {one.name: called(one) for one in facts.contributors} if facts else {}
    return tuple(here.get(name, name) for name in names)
