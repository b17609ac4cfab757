"""What a contributor is shown of itself: its private report, and the week of the next release.

Both are functions of its own files and agreement, of published releases and of what every
contributor may know.  What a comparison with a release that is not published yet would tell of the
contributor is not in the desk's report: the steward sends that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.own_report import own_profile, own_report
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import _
from ctdhub.desk.worker.answers.page import answered, today
from ctdhub.document.as_json import to_json
from ctdhub.release.bundle import latest_standing
from ctdhub.release.open import open_release
from ctdhub.stats.answers import Answers


def report(hub: Hub, contributor: str) -> dict[str, Any]:
    """The exact profile of a contributor's own records next to the newest release.

    Args:
        contributor: its id; whoever asks belongs to it.

    Returns:
        ``given``: whether there is a report yet; where there is none, the document says when.

    Raises:
        HubError: the release or the contributor's files cannot be read.
    """
    folder = latest_standing(hub.releases)
    if folder is None:
        return _none(hub, _("There is a report once a release is published."))
    try:
        agreement, own = own_profile(hub, contributor)
    except HubError as met:
        if met.rule == "contributor-withdrew":
            return _none(hub, _("The contributor withdrew: its files are no longer read."))
        if met.rule == "not-built":
            return _none(hub, _("There is a report once the hub has read your accepted files."))
        raise
    document = own_report(agreement, own, Answers(open_release(folder)), today())
    return {"document": to_json(document), "given": {"made": True, "version": folder.name}}


def _none(hub: Hub, why: str) -> dict[str, Any]:
    return answered(hub, _("Private report"), (why,), (), {"made": False})


def next_week(hub: Hub) -> dict[str, Any]:
    """The Monday of the week for which the next release is planned, as every contributor may know.

    Nothing else of a plan leaves here: neither its version nor its state, so that a release that
    is held or refused looks like one that is not.  Weeks that have passed, and published versions,
    are left out.
    """
    from ctdhub.desk.models.hub import ReleasePlan

    monday = today() - timedelta(days=today().weekday())
    done = [folder.name for folder in hub.releases.iterdir()] if hub.releases.is_dir() else []
    ahead = ReleasePlan.objects.filter(week__gte=monday).exclude(version__in=done)
    week = ahead.order_by("week").values_list("week", flat=True).first()
    return {"given": {"week": week.isoformat() if week else ""}}
