"""What changed since the last release, as sentences without a number of people.

They are made of public facts of two releases: who contributes, on which days files came, breaks
that agreements declare, the version of the schema.  Of mappings nothing is said, for what one row
holds may force somebody to rewrite one; whoever wants readers to know declares a break.  Of
withdrawals nothing is said, not even whether there are any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ctdhub.core.i18n import Several, Text
from ctdhub.release.facts import Contributor, PublicFacts, SeriesBreak

BREAKS: Mapping[str, Text] = {
    "operator": Text("another organisation runs the service"),
    "law": Text("the law changed"),
    "form": Text("the form that is filled in changed"),
    "definition": Text("what is counted changed"),
    "other": Text("another reason"),
}
"""Why a series breaks, by the kinds of ``facts.SeriesBreak``."""


def changes(before: PublicFacts | None, now: PublicFacts) -> tuple[Text, ...]:
    """Sentences about two releases of one hub.

    Args:
        before: public facts of the last release; None if there is none.
        now: those of the release that is being made.
    """
    if before is None:
        names = Several(tuple(c.name for c in now.contributors))
        return (Text("First release, with data of: {names}", names=names),)
    return tuple(_compared(before, now))


def _compared(before: PublicFacts, now: PublicFacts) -> Iterator[Text]:
    old, new = ({c.id or c.name: c for c in facts.contributors} for facts in (before, now))
    if came := [new[i].name for i in new if i not in old]:
        yield Text("New contributors: {names}", names=Several(tuple(came)))
    if left := [old[i].name for i in old if i not in new]:
        yield Text("No longer in the data: {names}", names=Several(tuple(left)))
    for i, contributor in new.items():
        if i in old:
            yield from _of_one(old[i], contributor)
    if before.schema_version != now.schema_version:
        yield Text(
            "The schema is version {new} now; it was {old}.",
            new=now.schema_version,
            old=before.schema_version,
        )
    if before.years != now.years:
        yield Text(
            "The years covered are {first} to {last} now; they were {was_first} to {was_last}.",
            first=now.years[0],
            last=now.years[1],
            was_first=before.years[0],
            was_last=before.years[1],
        )


def _of_one(before: Contributor, now: Contributor) -> Iterator[Text]:
    if before.deliveries is not None and now.deliveries is not None:
        if came := [day for day in now.deliveries if day not in before.deliveries]:
            days = Several(tuple(came))
            yield Text("{name}: data received on {days} were added.", name=now.name, days=days)
        if left := [day for day in before.deliveries if day not in now.deliveries]:
            days = Several(tuple(left))
            yield Text(
                "{name}: data received on {days} are no longer read.", name=now.name, days=days
            )
    if before.rows_per_person != now.rows_per_person:
        yield Text(
            "{name}: at most {n} rows of one person count; it was {old}.",
            name=now.name,
            n=now.rows_per_person,
            old=before.rows_per_person,
        )
    for found in now.breaks:
        if found not in before.breaks:
            yield Text(
                "{name}: from {day} on the figures are not comparable with earlier ones: {why}",
                name=now.name,
                day=found.date,
                why=_why(found),
            )


def _why(found: SeriesBreak) -> Text:
    why = BREAKS[found.kind]
    return Text("{why} ({note})", why=why, note=found.note) if found.note else why
