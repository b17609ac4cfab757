"""Pairs to decide, without names and without a value; and what decisions say of all links."""

from __future__ import annotations

from typing import Any

from ctdhub.build.doubles import DoublePair, measured, to_decide
from ctdhub.build.hub import Hub
from ctdhub.build.stages.link_report import PAIRS, linkage
from ctdhub.cli.kind_words import kind_words
from ctdhub.core.format import interval, isolated, listed, number, share
from ctdhub.core.i18n import Text, _, current, said
from ctdhub.desk.worker.answers.page import answered, name, section, table, words
from ctdhub.schema.labels import label


def doubles(hub: Hub) -> dict[str, Any]:
    """All pairs that somebody should look at, the undecided first."""
    title = _("Possible doubles")
    if not (hub.work / "people" / PAIRS).is_file():
        return answered(hub, title, (_("People were not linked yet."),), (), {"pairs": []})
    report, found = linkage(hub), to_decide(hub)
    called = {one.id: name(one.name) for one in hub.agreements()}
    open_ = [one for one in found if one.same not in ("yes", "no")]
    lead = (
        _("Pairs to decide: {open} of {n}.").format(open=number(len(open_)), n=number(len(found)))
        if found
        else _("No two records share a token, so there is no pair to decide.")
    )
    law = _(
        "Decide by what agrees and what differs; if that is not enough, say so. A decision changes "
        "this report and the recall measured by it, and never a released row."
    )
    rows = [
        (_("persons with tokens, by contributors' own count"), report["persons_with_tokens"]),
        (_("people among them, by all tokens"), report["clusters"]),
        (_("links"), report["links"]),
        (_("pairs to review"), report["to_review"]),
    ]
    counts = table("", (), [(what, number(n)) for what, n in rows])
    return answered(
        hub,
        title,
        (lead, law),
        (section("report", _("Links"), counts), *_measured(hub)),
        {"pairs": [_pair(one, called) for one in [*open_, *(o for o in found if o not in open_)]]},
    )


def undecided(hub: Hub) -> int:
    """Pairs that nobody has decided, or that two decided differently."""
    if not (hub.work / "people" / PAIRS).is_file():
        return 0
    return sum(one.same not in ("yes", "no") for one in to_decide(hub))


def _measured(hub: Hub) -> list[Any]:
    found = measured(hub)
    title = _("What the decisions say")
    if not found:
        return [section("measured", title, words(_("Nobody has decided a pair yet.")))]
    counted = _("One person: {yes}. Two people: {no}. Decided differently by two: {differ}.")
    decided = counted.format(
        yes=number(found["yes"]), no=number(found["no"]), differ=number(found["differ"])
    )
    gone = (
        _("Decided pairs that the last build no longer has: {n}.").format(n=number(found["gone"]))
        if found["gone"]
        else ""
    )
    if "recall" not in found:
        return [section("measured", title, words(decided, gone))]
    rows = [
        (what, _ends(found[key]))
        for what, key in (
            (_("links found by the report (recall)"), "recall"),
            (_("links found after the decisions"), "recall_after"),
            (_("links of the report that are two people"), "false_links"),
        )
    ]
    note = _(
        "Intervals of {level}, of pairs that share a token: {pairs}; reviewed at random: {n}. They "
        "allow for {errors} of wrong decisions. Links between records that share no token are not "
        "counted."
    ).format(
        level=share(found["level"]),
        pairs=number(found["pairs"]),
        n=number(found["reviewed"]),
        errors=share(found["errors"]),
    )
    return [
        section(
            "measured", title, words(decided, gone), table("", ("", _("share")), rows, note=note)
        )
    ]


def _ends(one: dict[str, float]) -> str:
    low, high = interval(one["low"], one["high"], fine=True)
    return _("{low} to {high}").format(low=low, high=high)


def _pair(one: DoublePair, called: dict[str, str]) -> dict[str, Any]:
    kinds = kind_words()
    return {
        "id": one.id,
        "contributors": [called.get(id_, isolated(id_)) for id_ in one.contributors],
        "keys": [kinds[letter] for letter in one.keys if letter in kinds],
        "probability": None if one.probability is None else share(one.probability, fine=True),
        "joined": one.joined,
        "reason": said(Text.from_json({"message": one.reason, "fields": {}})) if one.reason else "",
        "agree": listed([label(v, current()) for v in one.agree]) or "–",
        "differ": listed([label(v, current()) for v in one.differ]) or "–",
        "decided": [[line.by, line.same, line.time] for line in one.decided],
        "same": one.same or "",
    }
