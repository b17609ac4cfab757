"""Quick exit: where a reader is sent who must leave at once, and what the page needs for it."""

from __future__ import annotations

from collections.abc import Mapping

from ctdhub.core.i18n import current

DEFAULT = "https://{lang}.wikipedia.org/"
"""A site that many people read, in the language of the page."""
SCRIPT = "leave.js"
"""Stands in the head of every page with an exit; needs ``<meta name="exit">`` before it."""


def exit_address(chosen: Mapping[str, str]) -> str:
    """Where "Exit this page" leads in the language in force.

    Args:
        chosen: ``exit`` of hub.yaml, https addresses by language.
    """
    return chosen.get(current()) or DEFAULT.format(lang=current())
