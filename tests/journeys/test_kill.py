"""Law 10: after kill -9 at any point the last release opens and the next build succeeds."""

from __future__ import annotations

from pathlib import Path

from ctdhub.dp.ledger.book import Ledger
from ctdhub.hub import folder, pipeline
from ctdhub.hub.folder import Hub
from ctdhub.release.approvals import Approvals
from ctdhub.release.open import verify
from tests import killer
from tests.fixtures.hubs import COLUMNS, copied, drafted, make_real, outdated, set_policy, sign
from tests.forked import needs_fork
from tests.journeys.forked import durable, kill, points


def leftovers(hub: Hub) -> list[Path]:
    found = [p for p in hub.root.rglob(".*-*") if p.name.startswith((".new-", ".old-"))]
    return [*found, *hub.work.glob("pending/*")]


@needs_fork
def test_killed_at_many_points(built: Hub, warm: None, tmp_path: Path) -> None:
    """From files to an approved release: a practice hub signs on the way."""
    template = outdated(built, tmp_path / "template")
    set_policy(template, columns=COLUMNS[:2])
    first = str(folder.released_version(template))
    found = points(template, "release")
    charging = [n for n, line in enumerate(found, 1) if "/ledger/" in line or "/pending" in line]
    chosen = {*killer.every(4, len(found)), *charging[:: len(charging) // 2]}
    killed = kill(template, "release", sorted(chosen))
    assert killed == sorted(chosen)
    before = len(Ledger(template.ledger).entries())
    for point in killed:
        hub = Hub(tmp_path / f"killed-{point}")
        assert verify(hub.releases / first, hub.settings.approvers) == [], point
        for bundle in [*hub.releases.glob("[!.]*/"), *hub.candidates.glob("[!.]*")]:
            assert verify(bundle, hub.settings.approvers) == [], (point, bundle.name)
    for point in killed[1::2]:  # the next build succeeds
        hub = Hub(tmp_path / f"killed-{point}")
        pipeline.build(hub, until="release")
        version = str(folder.released_version(hub))
        assert verify(hub.releases / version, hub.settings.approvers) == []
        assert len(Ledger(hub.ledger).entries()) == before + 1, (point, found[point - 1])
        assert len(list(filter(Path.is_dir, hub.releases.iterdir()))) == 2
        assert not list(hub.candidates.iterdir())
        assert not leftovers(hub), point


@needs_fork
def test_killed_between_candidate_and_publication(built: Hub, warm: None, tmp_path: Path) -> None:
    """The second approval, killed at every write: there is one bundle, whole, here or there."""
    template = copied(built, tmp_path / "template")
    make_real(template)
    waiting = drafted(template)
    assert sign(template, "steward") is None
    version, charges = waiting.name, len(Ledger(template.ledger).entries())
    written = durable(points(template, "approve"))
    assert 5 <= len(written) < 11
    killed = kill(template, "approve", written[::2])
    assert len(killed) == len(written[::2]), "every durable write was a point"
    states = set()
    for point in killed:
        hub = Hub(tmp_path / f"killed-{point}")
        places = [f / version for f in (hub.candidates, hub.releases) if (f / version).exists()]
        assert len(places) == 1, point
        assert verify(places[0], hub.settings.approvers) == [], point
        missing = Approvals.read(places[0]).missing
        states.add((places[0].parent.name, missing))
        pipeline.build(hub, until="release")
        if missing:  # the signature was not there yet: nothing is published without it
            assert not (hub.releases / version).exists()
            assert sign(hub, "privacy_officer") == hub.releases / version
            pipeline.build(hub, until="release")
        assert folder.released_version(hub) == version
        assert verify(hub.releases / version, hub.settings.approvers) == []
        assert not list(hub.candidates.iterdir())
        assert not leftovers(hub), point
        assert len(Ledger(hub.ledger).entries()) == charges
    assert states == {
        ("candidates", ("privacy_officer",)),
        ("candidates", ()),
        ("releases", ()),
    }
