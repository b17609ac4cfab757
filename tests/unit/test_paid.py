"""Nothing is built, approved or published in a hub that holds what its ledger does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.small_hub import new_hub

from ctdhub.build import pipeline
from ctdhub.build.paid import check_paid
from ctdhub.core.errors import HubError
from ctdhub.release.manifest import MANIFEST


@pytest.mark.parametrize("place", ["releases", "candidates"])
def test_what_nobody_paid_for_stops_every_build(tmp_path: Path, place: str) -> None:
    """As where a release of another hub was laid into this one."""
    hub = new_hub(tmp_path / "hub")
    check_paid(hub)
    folder = hub.root / place / "2026.1"
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text('{"charge": "of-another-ledger"}', "utf-8")
    for refused in (check_paid, pipeline.build):
        with pytest.raises(HubError) as met:
            refused(hub)
        assert met.value.rule == "ledger-releases"
