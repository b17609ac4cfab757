"""Tables on request: what may be asked for, which release holds it, and what it would cost.

All of it follows from the schema, from settings and from published releases; no row is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.table_request import RequestPrice, held_by, price_of, requestable
from ctdhub.core.error_catalogue import error
from ctdhub.core.format import decimal, exact, listed, number, share
from ctdhub.core.i18n import _, current, formula
from ctdhub.desk.worker.answers.page import answered, section, table, words
from ctdhub.dp.simulate import Range
from ctdhub.schema import countries
from ctdhub.schema.labels import group_label, label
from ctdhub.schema.roles import DESTINATION, PERIOD

_REGIONS = (*countries.regions(), *countries.subregions())
MOST_TABLES = 500
"""Of which one request asks whether a release holds them."""


def form(hub: Hub) -> dict[str, Any]:
    """Variables by group, and regions, each with its name in the reader's language."""
    lang = current()
    groups: dict[str, list[list[str]]] = {}
    for one in requestable():
        groups.setdefault(one.group or "", []).append([one.name, label(one.name, lang)])
    return {
        "given": {
            "groups": [
                {"name": group_label(group, lang) if group else "", "variables": held}
                for group, held in groups.items()
            ],
            "regions": [[key, countries.region_name(key, lang)] for key in _REGIONS],
            "place": DESTINATION,
            "year": PERIOD,
        }
    }


def held(hub: Hub, request: Mapping[str, Any]) -> dict[str, Any]:
    """For each table the release that holds it, or "", and its variables in words."""
    asked = [_variables(one) for one in list(request.get("tables") or ())[:MOST_TABLES]]
    known, lang = {one.name for one in requestable()}, current()
    found = [
        {
            "version": held_by(hub, one),
            "variables": listed([label(name, lang) for name in one if name in known]),
        }
        for one in asked
    ]
    return {"given": {"tables": found}}


def price(hub: Hub, request: Mapping[str, Any]) -> dict[str, Any]:
    """What a table would cost the next release."""
    found = price_of(hub, _variables(request.get("variables")))
    given = {"policy": found.policy, "free": found.price is None}
    title = _("What it would cost")
    if found.price is None:
        text = _(
            "The policy of the next release measures this table already; a yes costs nothing more."
        )
        return answered(hub, title, (text,), (), given)
    note = _(
        "It follows from the settings alone: no case record was read. Error: half the width of an "
        "interval. The first number holds where all cells are shown, the second where a single "
        "one is."
    )
    parts = section("price", "", table("", (), _rows(found), note=note, words=True))
    return answered(hub, title, (), (parts, *_added(found)), given)


def _rows(found: RequestPrice) -> list[tuple[str, str]]:
    one = found.price
    assert one is not None
    return [
        (_("cells of the table"), number(one.cells)),
        (
            _("error of a cell, at {level}").format(level=share(found.level)),
            formula(f"± {_range(one.half_width)}"),
        ),
        (_("smallest number that is shown"), _range(one.shown_from)),
        (
            _("cost of this table alone"),
            _("epsilon {cost}, within the epsilon {whole} of the next release").format(
                cost=decimal(one.epsilon, "#,##0.##"), whole=exact(found.epsilon)
            ),
        ),
        (
            _("other tables, for the same epsilon"),
            _("noise larger by {share}, at most").format(share=share(one.growth - 1)),
        ),
        (
            _("other tables as precise as without it"),
            _("for epsilon {epsilon} a release, of {budget} for all releases").format(
                epsilon=decimal(one.keep, "#,##0.##"), budget=exact(found.budget)
            ),
        ),
    ]


def _added(found: RequestPrice) -> list[Any]:
    if not found.added:
        return []
    text = _(
        "The hub does not release these variables yet: {names}. A yes releases each of them, in "
        "tables with every other variable too."
    ).format(names=listed([label(name, current()) for name in found.added]))
    return [section("added", _("New variables"), words(text))]


def _range(found: Range) -> str:
    both = dict.fromkeys((found.all, found.lone))
    return formula("–".join(number(n) for n in both))


def _variables(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise error("desk-ask", name="tables")
    return value
