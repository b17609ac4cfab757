"""The releases become the static site."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ctdhub.build.closure import software
from ctdhub.build.hub import Hub
from ctdhub.build.stages.edition import edition, spending
from ctdhub.build.steps import Input, Progress, Step, hash_file, hash_of
from ctdhub.core.i18n import Text
from ctdhub.release.errata import ERRATA as NOTICES
from ctdhub.release.manifest import MANIFEST
from ctdhub.release.open import leading, open_releases
from ctdhub.report.events.calendar import FILE as EVENTS
from ctdhub.report.helplines import FILE as HELPLINES

if TYPE_CHECKING:
    from ctdhub.site.parts import Before

RELEASE, READERS = Input("release", Text("release")), Input("readers", Text("what readers need"))
ADDRESS = Input("address", Text("address of the site"))
DOI = Input("doi", Text("DOI"))
TOLD = Input("told", Text("events, stories and other files that the site shows"))
ERRATA = Input("errata", Text("notices about releases"))
SPENT = Input("spent", Text("privacy ledger"))
PARTS = "site.json"
"""In the folder of work: what each part of the site was made of, and the hashes of its files."""


def before(hub: Hub) -> Before:
    """What the hub keeps of the site that it built last."""
    from ctdhub.site.parts import Before

    hub.work.mkdir(mode=0o700, exist_ok=True)
    return Before(hub.site, hub.work / PARTS, hash_of(dict(software(__name__))))


def build_site(hub: Hub, progress: Progress | None) -> Step:
    """All releases -> the static site; the newest one that was not withdrawn leads."""
    released = {m.parent.name: hash_file(m) for m in sorted(hub.releases.glob(f"*/{MANIFEST}"))}
    told = [*hub.stories.glob("*.md"), *(hub.root / name for name in (EVENTS, HELPLINES))]

    settings = hub.settings
    notices = sorted((hub.root / NOTICES).glob("*/[!.]*.json"))

    def run(folder: Path) -> None:
        from ctdhub.site.build import build_site as make_site
        from ctdhub.site.build import refuse_smaller
        from ctdhub.site.errata import refuse_fewer_notices

        held = open_releases(hub.releases, hub.settings.approvers)
        refuse_smaller(hub.site, [release.version for release in held])
        refuse_fewer_notices(hub.site, held)
        lead, others = leading(held)
        make_site(lead, folder, progress, edition(hub), others, before=before(hub))

    return Step(
        name="site",
        inputs={
            RELEASE: hash_of(released),
            ADDRESS: hash_of(settings.site.model_dump()),
            TOLD: hash_of({f.name: hash_file(f) for f in told if f.is_file()}),
            READERS: hash_of([settings.helpline, settings.contact, settings.exit]),
            ERRATA: hash_of({f"{f.parent.name}/{f.name}": hash_file(f) for f in notices}),
            SPENT: hash_of(asdict(spending(hub))),
        },
        output=hub.site,
        run=run,
        software=software(__name__),
    )
