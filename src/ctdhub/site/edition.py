"""What a site shows beside its release: the hub's stories and events, its spending, its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ctdhub.release.open import Release
from ctdhub.report.events.calendar import Calendar, read_calendar
from ctdhub.report.helplines import Help, read_help
from ctdhub.site.accounts import PublishedSpending
from ctdhub.site.sharing import Sharing
from ctdhub.site.stories.source import Story, read_stories
from ctdhub.stats.answers import Answers


@dataclass(frozen=True)
class Edition:
    """One edition of a site.

    Attributes:
        sharing: where it will be found.
        calendar: the hub's events; None where it has none, and so no page of events.
        stories: what the hub tells, the newest first; where it tells none, there is no page.
        offline: the explorer reads its data from a script, which also works from ``file://``,
            instead of fetching them.
        spending: what the hub's ledger holds; None where that is not known.
        help: where the hub sends people now; None where there is no hub to ask.
        series: answers of all releases that the site shows; () where one is drawn alone.
        lead: the hub's own words for the first page, by language.
        place: a region or country of which the first page says more; "" where there is none.
        contact: e-mail or https address at which readers reach the hub; "" where it names none.
        exits: where "Exit this page" leads, by language; see ``leaving``.
    """

    sharing: Sharing = field(default_factory=Sharing)
    calendar: Calendar | None = None
    stories: tuple[Story, ...] = ()
    offline: bool = False
    spending: PublishedSpending | None = None
    help: Help | None = None
    series: tuple[Answers, ...] = ()
    lead: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    contact: str = ""
    exits: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        hub: Path | None,
        url: str = "",
        *,
        offline: bool = False,
        spending: PublishedSpending | None = None,
        helpline: str | None = None,
        lead: Mapping[str, str] | None = None,
        place: str = "",
        contact: str = "",
        exits: Mapping[str, str] | None = None,
        doi: Mapping[str, str] | None = None,
    ) -> Edition:
        """What a hub adds to its release.

        Args:
            hub: root of the hub's folder; None for a release alone.
            url: public address of the site; empty where it is not known.
            offline, spending, lead, place, contact, exits: as above.
            doi: the DOI of each version that has one.
            helpline: the one text of hub.yaml, shown where there is no list; None without hub.yaml.

        Raises:
            HubError: the address is no plain https address, or a file of the hub has faults.
        """
        sharing = Sharing(url, doi or {})
        if hub is None:
            return cls(sharing, offline=offline)
        found = read_help(hub, helpline or "")
        return cls(
            sharing=sharing,
            calendar=read_calendar(hub),
            stories=read_stories(hub / "stories"),
            offline=offline,
            spending=spending,
            help=found if found.lines or helpline is not None else None,
            lead=lead or {},
            place=place,
            contact=contact,
            exits=exits or {},
        )

    def help_of(self, release: Release) -> Help:
        """Where pages send people: the hub's word, else the release's."""
        return self.help or Help(text=release.facts.helpline)


PLAIN = Edition()
"""A release alone, at an address that nobody knows."""
