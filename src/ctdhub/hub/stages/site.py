"""The releases become the static site."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.core.i18n import Text
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.ledger.book import on_releases
from ctdhub.hub.folder import Hub, noted, policy, read_journal
from ctdhub.hub.paid import budget_split, ledger, published
from ctdhub.hub.steps import Progress, Step, hash_file, hash_of, software
from ctdhub.release.errata import ERRATA as NOTICES
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.open import leading, open_releases
from ctdhub.report.calendar import FILE as EVENTS
from ctdhub.report.helplines import FILE as HELPLINES
from ctdhub.site.edition import Edition, PublishedSpending

if TYPE_CHECKING:
    from ctdhub.site.cards import CardLog


# --------------------------------------------------------------------------------------------------
# What a hub shows beside its release.


def edition(hub: Hub, url: str | None = None, *, offline: bool = False) -> Edition:
    """The edition of a hub's site.

    Args:
        url: public address of the site; that of ``hub.yaml`` where none is given.
        offline: see :class:`ctdhub.site.edition.Edition`.

    Raises:
        HubError: a file of the hub has faults.
    """
    settings = hub.settings
    address = settings.site.url if url is None else url
    helpline, doi = settings.helpline, settings.doi
    return replace(
        Edition.of(hub.root, address, offline=offline, helpline=helpline, doi=doi),
        spending=spending(hub),
        lead={str(code): text for code, text in settings.site.lead.items()},
        place=settings.site.place,
        contact=settings.contact,
        exits={str(code): url for code, url in settings.exit.items()},
    )


def spending(hub: Hub) -> PublishedSpending:
    """What readers are shown of the ledger: nothing that tells of answers that were not published.

    Raises:
        HubError: the ledger or a manifest is damaged.
    """
    book, rules, shown = ledger(hub), policy(hub), published(hub)
    split = budget_split(hub, rules)
    known = [e for e in book.entries() if e.id in shown]
    return PublishedSpending(
        charges=tuple((s.name, s.charges, s.epsilon) for s in on_releases(known, split.delta)),
        reserve=epsilon_of(split.reserve, split.delta),
        epsilon=split.public_epsilon,
        budget=rules.budget.epsilon,
        delta=split.delta,
    )


CARDS = "cards"
"""What the journal calls the drawing of what a release keeps on the site."""
PAGES = "pages.json"
"""In ``work/``: what the pages of the site were made of."""


def noted_cards(hub: Hub) -> dict[str, list[str]]:
    """SHA-256 of each archive that was noted of what a release keeps on the site, by version."""
    noted: dict[str, list[str]] = {}
    for line in read_journal(hub):
        if line.what == CARDS:
            noted.setdefault(str(line.details["version"]), []).append(str(line.details["sha256"]))
    return noted


def card_store(hub: Hub) -> CardLog:
    """What the hub keeps of the cards of its releases."""
    from ctdhub.site.cards import CardLog
    from ctdhub.site.render import PageLog

    def note(version: str, sha256: str) -> None:
        with noted(hub, CARDS, version=version, sha256=sha256):
            pass

    pages = PageLog(hub.site, hub.work / PAGES, hash_of(dict(software(__name__))))
    return CardLog(note, noted_cards(hub), pages)


def build_site(hub: Hub, progress: Progress | None) -> Step:
    """All releases -> the static site; the newest one that was not withdrawn leads."""
    released = {m.parent.name: hash_file(m) for m in sorted(hub.releases.glob(f"*/{MANIFEST}"))}
    files = [*hub.stories.glob("*.md"), *(hub.root / name for name in (EVENTS, HELPLINES))]

    settings = hub.settings
    notices = sorted((hub.root / NOTICES).glob("*/[!.]*.json"))

    def run(folder: Path) -> None:
        from ctdhub.site import build, feed

        releases = open_releases(hub.releases, hub.settings.approvers)
        build.refuse_smaller(hub.site, [release.version for release in releases])
        feed.refuse_fewer_notices(hub.site, releases)
        lead, others = leading(releases)
        build.build_site(lead, folder, progress, edition(hub), others, kept=card_store(hub))

    return Step(
        name="site",
        inputs={
            Text("release"): hash_of(released),
            Text("address of the site"): hash_of(settings.site.model_dump()),
            Text("DOI"): hash_of(settings.doi),
            Text("events, stories and other files that the site shows"): hash_of(
                {f.name: hash_file(f) for f in files if f.is_file()}
            ),
            Text("what readers need"): hash_of(
                [settings.helpline, settings.contact, settings.exit]
            ),
            Text("notices about releases"): hash_of(
                {f"{f.parent.name}/{f.name}": hash_file(f) for f in notices}
            ),
            Text("privacy ledger"): hash_of(asdict(spending(hub))),
        },
        output=hub.site,
        run=run,
        software=software(__name__),
    )
