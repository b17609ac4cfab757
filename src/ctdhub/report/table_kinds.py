"""Kinds of tables of a release in words."""

from __future__ import annotations

from ctdhub.core.i18n import _


def kind_name(kind: str) -> str:
    """The kind of a table, a code of the plan of a release."""
    return {
        "people": _("number of people"),
        "one_way": _("single columns"),
        "corridor": _("corridor"),
        "corridor_by": _("corridor by a third column"),
        "core_pairs": _("pairs of core columns"),
        "wide_pairs": _("a country by a core column"),
        "core_triples": _("triples of core columns"),
        "wide_triples": _("a country by two core columns"),
        "pairs": _("other pairs"),
        "assistance": _("who is assisted"),
        "reports": _("tables that states report"),
        "groups": _("groups asked for"),
    }[kind]
