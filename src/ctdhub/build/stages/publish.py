"""An approved candidate becomes a release."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from ctdhub.build.closure import software
from ctdhub.build.filenames import ANSWER
from ctdhub.build.hub import Hub
from ctdhub.build.may_publish import publication
from ctdhub.build.paid import note_published
from ctdhub.build.stages.approve import approve_practice, may_approve_itself, publish
from ctdhub.build.steps import Input, Step, hash_file
from ctdhub.build.versions import candidate_version, released_version
from ctdhub.core.i18n import Text
from ctdhub.release.manifest import MANIFEST, SUMS


def publish_release(hub: Hub) -> Step | None:
    """The candidate -> a release; None while it waits for a person or a day.

    See :mod:`ctdhub.build.may_publish`.
    """
    version = candidate_version(hub) or ""
    output, waits = hub.work / "release", hub.candidates / version
    published = (hub.releases / version / MANIFEST).is_file()
    if not published:
        here = publication(hub, waits, datetime.now(UTC))
        signed = not here.missing or may_approve_itself(hub)
        if not signed or here.state in ("held", "refused", "scheduled"):
            return None
    if released_version(hub) is None:
        shutil.rmtree(output, ignore_errors=True)  # the release it points to is gone

    def run(folder: Path) -> None:
        if not published:
            if may_approve_itself(hub):
                approve_practice(hub, waits)
            publish(hub, waits)
        note_published(hub)  # a kill may have come between the two
        (folder / ANSWER).write_text(json.dumps({"version": version}), "utf-8")

    return Step(
        name="release",
        inputs={
            Input("candidate", Text("candidate")): hash_file(
                (hub.releases / version if published else waits) / SUMS
            )
        },
        output=output,
        run=run,
        software=software(__name__),
    )
