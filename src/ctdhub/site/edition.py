"""What a site shows beside its release, and what a kind of page puts on it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text, current
from ctdhub.release.manifest import ATTACKS
from ctdhub.release.open import Release
from ctdhub.report.calendar import Calendar, read_calendar
from ctdhub.report.figures import Chart
from ctdhub.report.helplines import Help, read_help
from ctdhub.site.frame import Page, Sharing, cited
from ctdhub.site.stories.source import Story, read_stories
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# What stands behind a promise: the privacy that a hub spent, and what attacks achieved.


@dataclass(frozen=True)
class PublishedSpending:
    """What a hub spent, as far as readers may know: nothing of answers that were not published.

    Attributes:
        charges: kind, number of charges, and epsilon of these together, for each kind; of releases
            those that were published.
        reserve: epsilon that the policy keeps for drafts, used or not.
        epsilon: of all these together; of what waits to be published it tells nothing.
        budget: the epsilon that the hub may spend in all.
        delta: at which each epsilon holds.
    """

    charges: tuple[tuple[str, int, float], ...]
    reserve: float
    epsilon: float
    budget: float
    delta: float


class Attack(BaseModel):
    """What one attack on fictitious people achieved.

    Attributes:
        attack, seen: what was guessed, and from what.
        people, columns: of the data that were attacked.
        epsilon, delta: the guarantee.
        trials, right: guesses, and how many of them were right.
        others: number of people held out, with whom those in the data are compared.
        chance: share of right guesses without the person.
        gain, low, high: share of right guesses less ``chance``, with its interval.
        allowed: the most that the guarantee allows ``gain`` to be.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    attack: Literal["canary", "worlds", "inference", "copies"]
    seen: Literal["release", "tables"]
    people: int
    columns: int
    epsilon: float
    delta: float
    trials: int = Field(ge=1)
    right: int
    others: int | None
    chance: float
    gain: float
    low: float
    high: float
    allowed: float = Field(gt=0)


class AttackCard(BaseModel):
    """What attacks achieved on a METHOD of protection; ``level`` is that of the intervals."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    method: int
    made: date
    level: float = Field(gt=0, lt=1)
    attacks: tuple[Attack, ...] = Field(min_length=1)

    @property
    def nearest(self) -> list[Attack]:
        """Of each kind of attack the one that came nearest to its limit."""
        by_kind: dict[tuple[str, str], Attack] = {}
        for one in sorted(self.attacks, key=lambda a: a.gain / a.allowed):
            by_kind[one.attack, one.seen] = one
        return [by_kind[key] for key in dict.fromkeys((a.attack, a.seen) for a in self.attacks)]


def read_attacks(release: Path) -> AttackCard | None:
    """The figures that are signed with a release; None where there are none.

    Args:
        release: folder of a verified release.

    Raises:
        ReleaseError: they are none that this software can read.
    """
    file = release / ATTACKS
    if not file.is_file():
        return None
    try:
        return AttackCard.model_validate_json(file.read_bytes())
    except ValidationError as cause:
        raise error("attack-card", file=file) from cause


# --------------------------------------------------------------------------------------------------
# What a site shows beside its release: the hub's stories and events, its spending, its address.


NO_DOI: Mapping[str, str] = {}


@dataclass(frozen=True)
class Edition:
    """One edition of a site.

    Attributes:
        sharing: where it will be found.
        calendar: the hub's events; None where it has none, and so no page of events.
        stories: what the hub tells, the newest first; where it tells none, there is no page.
        offline: the explorer reads its data from scripts, which also work from ``file://``, instead
            of fetching them.
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
        helpline: str | None = None,
        doi: Mapping[str, str] = NO_DOI,
    ) -> Edition:
        """What the files of a hub add to its release.

        Args:
            hub: root of the hub's folder; None for a release alone.
            url: public address of the site; empty where it is not known.
            offline: as above.
            helpline: the one text of hub.yaml, shown where there is no list; None without hub.yaml.
            doi: the DOI of each version that has one.

        Raises:
            HubError: the address is no plain https address, or a file of the hub has faults.
        """
        sharing = Sharing(url, doi)
        if hub is None:
            return cls(sharing, offline=offline)
        contacts = read_help(hub, helpline or "")
        return cls(
            sharing=sharing,
            calendar=read_calendar(hub),
            stories=read_stories(hub / "stories"),
            offline=offline,
            help=contacts if contacts.lines or helpline is not None else None,
        )

    def help_of(self, release: Release) -> Help:
        """Where pages send people: the hub's word, else the release's."""
        return self.help or Help(text=release.facts.helpline)

    def seen_by(self, kind: PageKind) -> Edition:
        """What pages of a kind read of it; helplines beside them are filled in by ``render``."""
        names = ("sharing", "series", "exits", *kind.reads)
        return Edition(**{name: getattr(self, name) for name in names})


PLAIN = Edition()
"""A release alone, at an address that nobody knows."""


# --------------------------------------------------------------------------------------------------
# A kind of page: what it puts on a site, and where the menu has it.
#
# A module of pages ends its work in one :class:`PageKind`; ``registry`` lists them.  Whoever draws
# a site asks the kinds and names no page.

GET_HELP, EXPLORE, PLACES = Text("Get help"), Text("Explore"), Text("Places")
CHANGE, ASSISTANCE = Text("Change"), Text("Assistance (data)")
LEARN, DATA = Text("Learn"), Text("Data")
GROUPS = (GET_HELP, EXPLORE, PLACES, CHANGE, ASSISTANCE, LEARN, DATA)
"""Entries of the menu, in its order: at most seven.  Each leads to the first page of its group."""


@dataclass(frozen=True)
class Content:
    """What the pages of one release are made of.

    Attributes:
        answers: the release's.
        edition: what the site shows besides its releases.
        others: paths of the other pages, for those that link to any of them.
    """

    answers: Answers
    edition: Edition
    others: Container[str] = ()

    @property
    def release(self) -> Release:
        """The release."""
        return self.answers.release

    def cited(self, figure: Chart) -> str:
        """Where a figure stands for good, in the language in force: its public address, or its path
        in the site."""
        return self.edition.sharing.place(cited(figure, current(), self.release.version))


@dataclass(frozen=True)
class MenuEntry:
    """A page in the menu: the entry that it belongs to, its path, and its label in the line of
    pages of that entry."""

    group: Text
    path: str
    label: Text


@dataclass(frozen=True)
class WholePage:
    """A page that is a whole document, without the frame of the other pages.

    Attributes:
        path: in the folder of its language.
        title: of the window.
        html: makes its text, in the language in force.
    """

    path: str
    title: str
    html: Callable[[], str]


@dataclass(frozen=True)
class PageKind:
    """A kind of page.

    Attributes:
        name: what ``build_site(only=…)`` calls it.
        pages: its pages, in the language in force, as the release that leads the site has them.
        menu: where the menu has it; None where another page leads to it.
        shown: whether a release has it, given what else the site shows.
        cards: its charts on pages that each release keeps for good, in the language in force.
        files: writes its files for programs into the folder of the release, in English, such as
            the numbers of its charts.
        translated: writes its files of the language in force into the folder of the release.
        common: its pages hold no number of a release, so they stay where it is withdrawn.
        of_site: ``files`` belong to no release: they lie at the root of the site, written anew.
        links: its pages may link to any other, so they are drawn last.
        reads: what its pages read of an edition beside what every page does; it is given no more.
    """

    name: str
    pages: Callable[[Content], Iterable[Page | WholePage]]
    menu: MenuEntry | None = None
    shown: Callable[[Release, Edition], bool] = lambda _release, _edition: True
    cards: Callable[[Content], Iterable[Page | WholePage]] = lambda _content: ()
    files: Callable[[Path, Content], None] = lambda _folder, _content: None
    translated: Callable[[Path, Content], None] = lambda _folder, _content: None
    common: bool = False
    of_site: bool = False
    links: bool = False
    reads: tuple[str, ...] = ()
