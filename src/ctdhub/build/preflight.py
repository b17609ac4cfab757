"""What a build looks at before its first step, so that no fault is met once privacy is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctdhub.build.hub import Hub
from ctdhub.build.paid import check_paid
from ctdhub.build.stages import candidate
from ctdhub.build.stages.link_report import refuse_linkage_keys

if TYPE_CHECKING:
    from ctdhub.report.helplines import Help


def check(hub: Hub, version: str, note: str, *, pays: bool) -> None:
    """Refuse what no build may begin with.

    Args:
        version, note: of the release that is wanted, "" for none.
        pays: whether the build may come to what is paid for and published.

    Raises:
        HubError: something published was not paid for from this ledger, a linkage key lies in the
            hub, an agreement has ended, a file of a withdrawn delivery is still there, the version
            has another note, or what a site would show has faults.
    """
    check_paid(hub)
    refuse_linkage_keys(hub)
    hub.check_terms()
    hub.refuse_withdrawn_files()
    if pays:
        check_shown(hub)
    candidate.refuse_note(hub, version, note)


def check_shown(hub: Hub) -> Help | None:
    """Read events, stories, helplines and address of a hub, all that its site shows.

    Returns:
        Where the hub sends people.

    Raises:
        HubError: one of them has faults.
    """
    from ctdhub.build.stages.edition import edition
    from ctdhub.site.stories.markup import check as check_story

    found = edition(hub)
    for story in found.stories:
        for telling in story.tellings.values():
            check_story(telling)
    return found.help


def countries_without(hub: Hub, help: Help) -> tuple[str, ...]:
    """Alpha-3 codes of countries with a page and no helpline; none before the first release.

    Raises:
        HubError: the newest release is damaged.
    """
    from ctdhub.release.open import leading, open_releases
    from ctdhub.report.places import listed_places
    from ctdhub.stats.answers import Answers

    if not any(hub.releases.glob("*/manifest.json")):
        return ()
    newest, _others = leading(open_releases(hub.releases, hub.settings.approvers))
    held = {line.country for line in help.lines}
    return tuple(sorted(listed_places(Answers(newest)) - held))
