"""A steward's builds: nothing twice, only what changed, every row accounted for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from ctdhub.client import open_site
from ctdhub.core.errors import (
    HubError,
    HubFolderError,
    LedgerTampered,
    MappingError,
    Overspend,
    PolicyError,
    ReleaseError,
)
from ctdhub.core.i18n import LANGUAGES, said
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.quote import up_to
from ctdhub.dp.sources import Overlap
from ctdhub.hub import init, paid, pipeline, review
from ctdhub.hub.between_builds import draw_site
from ctdhub.hub.folder import JOURNAL, Hub, released_version
from ctdhub.hub.stages.site import edition
from ctdhub.hub.steps import hash_folder
from ctdhub.release.bundle import next_version
from ctdhub.release.open import open_release, verify
from ctdhub.site.build import build_site
from ctdhub.stats.trend import by_contributor
from tests import envelopes
from tests.conftest import Once
from tests.fixtures.hubs import (
    COLUMNS,
    copied,
    draw_few,
    make_real,
    set_languages,
    set_policy,
    sign,
)


def ran(done: list[pipeline.Done]) -> list[str]:
    return [d.step.rsplit(" ", 1)[0] for d in done if d.reason]


def state(hub: Hub) -> dict[str, str]:
    """What lies in a hub, but for the journal, which notes every build."""
    folders = [p for p in sorted(hub.root.iterdir()) if p.is_dir() and p.name != JOURNAL]
    return {p.name: hash_folder(p) for p in folders}


@pytest.mark.spine("a build to its site")
def test_a_second_build_does_nothing(hub: Hub) -> None:
    before = state(hub)
    assert ran(pipeline.build(hub)) == []
    assert state(hub) == before


def test_deleted_work_is_rebuilt_without_spending(hub: Hub) -> None:
    """work/ can be deleted and rebuilt; the same question costs nothing (laws 4 and trap 5)."""

    spent = len(Ledger(hub.ledger).entries())
    shutil.rmtree(hub.work)
    steps = ran(pipeline.build(hub))
    assert "protect" in steps
    assert "link" in steps
    assert len(Ledger(hub.ledger).entries()) == spent
    assert [p.name for p in hub.releases.iterdir() if p.is_dir()] == [released_version(hub)]


def test_a_changed_mapping_reruns_only_what_depends_on_it(hub: Hub) -> None:
    mapping = hub.mapping("rivage-refuge")
    mapping.write_text(mapping.read_text("utf-8") + "\n# read again\n", "utf-8")
    planned = pipeline.build(hub, dry=True)
    assert planned[-1].step == "site"
    again = ["harmonise rivage-refuge 2026-01-15", "alarms", "link"]
    assert ran(pipeline.build(hub)) == again


def test_a_changed_policy_makes_a_new_release_and_pays_for_it(hub: Hub) -> None:
    first = released_version(hub)
    entries = len(Ledger(hub.ledger).entries())
    set_policy(hub, epsilon=3.0)
    assert ran(pipeline.build(hub, until="release")) == ["protect", "candidate", "release"]
    assert len(Ledger(hub.ledger).entries()) == entries + 1
    second = released_version(hub)
    assert second != first
    for version in (first, second):
        assert verify(hub.releases / str(version)) == []


def test_a_new_name_costs_nothing_and_waits_for_the_next_version(hub: Hub) -> None:
    entries, releases = len(Ledger(hub.ledger).entries()), hash_folder(hub.releases)
    settings = hub.root / "hub.yaml"
    settings.write_text(settings.read_text("utf-8").replace("Practice hub", "Practice hub 2"))
    done = {d.step: d for d in pipeline.build(hub, until="release")}
    assert "will differ: hub.yaml and agreements" in said(done["candidate"].remark or "")
    assert (len(Ledger(hub.ledger).entries()), hash_folder(hub.releases)) == (entries, releases)
    assert not list(hub.candidates.iterdir())
    pipeline.build(hub, version=next_version(hub.releases), until="release")
    assert len(Ledger(hub.ledger).entries()) == entries + 1
    assert open_release(hub.releases / str(released_version(hub))).facts.hub == (
        "Practice hub 2 (fictitious data)"
    )


def test_a_new_version_of_unchanged_people_is_drawn_anew_and_paid(hub: Hub) -> None:
    """Equal files would tell for certain that nothing changed, or that what came went again."""
    first = hub.releases / str(released_version(hub))
    entries = len(Ledger(hub.ledger).entries())
    name = next_version(hub.releases)
    pipeline.build(hub, version=name, until="release")
    assert len(Ledger(hub.ledger).entries()) == entries + 1
    for file in ("counts.csv", "records.csv"):
        assert (hub.releases / name / file).read_bytes() != (first / file).read_bytes()
    assert open_release(first).manifest.charge != open_release(hub.releases / name).manifest.charge
    pipeline.build(hub, version=name, until="release")
    pipeline.build(hub, until="release")
    assert len(Ledger(hub.ledger).entries()) == entries + 1, "and again nothing is made or paid"
    assert [p.name for p in sorted(hub.releases.iterdir()) if p.is_dir()] == [first.name, name]


def test_what_readers_see_of_spending_does_not_tell_of_drafts(hub: Hub, tmp_path: Path) -> None:
    make_real(hub)
    pipeline.build(hub, until="release")
    before = edition(hub).spending
    for level in (0.9, 0.8):  # each draft takes the place of the one before
        set_policy(hub, level=level)
        pipeline.build(hub, until="release", pay=up_to(60))
    drafts = len(Ledger(hub.ledger).entries())
    assert edition(hub).spending == before
    [waits] = hub.candidates.iterdir()
    assert waits.name == next_version(hub.releases), "numbers of versions have no gaps"
    sign(hub, "steward")
    sign(hub, "privacy_officer")
    after = edition(hub).spending
    assert before is not None
    assert after is not None
    assert [(kind, n) for kind, n, _epsilon in after.charges] == [("release", 2)]
    assert after.epsilon > before.epsilon
    assert after.reserve == before.reserve
    assert after.epsilon >= Ledger(hub.ledger).guarantee(after.delta), "never less than was spent"
    text = (hub.releases / waits.name / "APPROVALS.json").read_text("utf-8")
    heads = [envelopes.statement(a)["ledger"] for a in json.loads(text)["approvals"]]
    assert [list(head) for head in heads] == [["hash"]] * 2
    assert drafts == 3


def test_a_reserve_for_drafts_is_a_wall(hub: Hub) -> None:
    make_real(hub)
    set_policy(hub, budget={"epsilon": 900.0, "drafts": 0.0})
    for level in (0.9, 0.8):
        set_policy(hub, level=level)
        if level == 0.9:
            pipeline.build(hub, until="release", pay=up_to(60))
            continue
        with pytest.raises(Overspend) as caught:
            pipeline.build(hub, until="release", pay=up_to(60))
        assert caught.value.rule == "budget"
    entries = len(Ledger(hub.ledger).entries())
    set_policy(hub, budget={"epsilon": 400.0, "drafts": 0.9})
    with pytest.raises(Overspend, match="kept for drafts"):
        pipeline.build(hub, until="release", pay=up_to(60))
    assert len(Ledger(hub.ledger).entries()) == entries


def test_an_answer_is_published_once(hub: Hub) -> None:
    """Two candidates of one answer: the second is refused once the first is out."""
    make_real(hub)
    set_policy(hub, level=0.9)
    first = next_version(hub.releases)
    year, number = first.split(".")
    second = f"{year}.{int(number) + 1}"
    for name in (first, second):
        pipeline.build(hub, until="release", version=name, pay=up_to(60))
    assert sorted(p.name for p in hub.candidates.iterdir()) == [first, second]
    assert len(Ledger(hub.ledger).entries()) == 2
    sign(hub, "steward", hub.candidates / first)
    sign(hub, "steward", hub.candidates / second)
    assert sign(hub, "privacy_officer", hub.candidates / first)
    with pytest.raises(ReleaseError) as caught:
        sign(hub, "privacy_officer", hub.candidates / second)
    assert caught.value.rule == "answer-published"
    assert [p.name for p in hub.candidates.iterdir()] == [second]


def test_a_version_is_handed_on_as_it_is(
    hub: Hub, tmp_path: Path, ctdhub: Callable[..., tuple[int, str, str]]
) -> None:
    version = str(released_version(hub))
    out = tmp_path / "copy" / version  # whose name `verify` compares
    for room in ("contributions", "work", "ledger", "candidates"):
        (hub.root / room).rename(tmp_path / room)  # nothing of these is looked at
    code, said_, _err = ctdhub("reissue", hub.root, version, "--out", out)
    assert (code, "Nothing was charged" in said_) == (0, True)
    assert hash_folder(out) == hash_folder(hub.releases / version)
    assert verify(out, hub.settings.approvers) == []
    code, _out, err = ctdhub("reissue", hub.root, version, "--out", out)
    assert (code, "new-folder" in err) == (2, True)
    code, _out, err = ctdhub("reissue", hub.root, "1999.1", "--out", tmp_path / "x")
    assert (code, version in err) == (2, True)
    damaged = hub.releases / version / "counts.csv"
    damaged.chmod(0o644)
    damaged.write_text("count\n1\n")
    assert ctdhub("reissue", hub.root, version, "--out", tmp_path / "x")[0] == 2
    assert not (tmp_path / "x").exists()


TWO_LANGUAGES = ("en", "ar")


@pytest.fixture(scope="module")
def of_two(built: Hub, once: Once) -> Hub:
    """A hub with two releases on its site, the second in two languages, to copy."""

    def make(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            draw_few(patch)
            hub = copied(built, folder)
            set_languages(hub, *TWO_LANGUAGES)
            set_policy(hub, epsilon=3.0)
            assert ran(pipeline.build(hub)) == ["protect", "candidate", "release", "site"]

    return Hub(once("hub-of-two-releases", make))


@pytest.fixture
def two(of_two: Hub, tmp_path: Path, few_pages: None) -> Hub:
    """A copy of it, as ``hub`` is one of the built hub."""
    return copied(of_two, tmp_path / "two")


def test_a_site_speaks_every_language_of_its_hub(of_two: Hub) -> None:
    """Names of languages are public facts, which readers learn with the next version.

    All four at once are drawn from releases of the unit tests.
    """
    assert len(Ledger(of_two.ledger).entries()) == 2
    pages = of_two.site / "r" / str(released_version(of_two))
    held = {
        code: {p.relative_to(pages / code) for p in (pages / code).rglob("*.html")}
        for code in TWO_LANGUAGES
    }
    common = {
        code: {p.relative_to(of_two.site / code) for p in (of_two.site / code).rglob("*.html")}
        for code in TWO_LANGUAGES
    }
    assert len(held["en"]) >= 3
    assert len(common["en"]) > 30
    for pages_of in (held, common):
        assert all(found == pages_of["en"] for found in pages_of.values())
    assert sorted(p.name for p in pages.iterdir() if p.name in LANGUAGES) == sorted(held)
    for code in held:
        assert f'lang="{code}"' in (pages / code / "index.html").read_text("utf-8")
        assert 'id="attacks"' in (of_two.site / code / "methods.html").read_text("utf-8")


def test_every_release_stays_on_the_site(two: Hub) -> None:
    """A site is drawn from all of releases/, whatever it held before."""
    hub = two
    versions = sorted(p.name for p in hub.releases.iterdir() if p.is_dir())
    assert len(versions) == 2
    assert sorted(p.name for p in (hub.site / "r").iterdir()) == versions
    for version in versions:
        assert (hub.site / "r" / version / "en" / "index.html").is_file()
        assert open_site(hub.site, version).release == version
    latest = json.loads((hub.site / "api" / "latest.json").read_text("utf-8"))
    assert (latest["version"], list(latest["releases"])) == (versions[-1], versions)
    drawn = hash_folder(hub.site)
    shutil.rmtree(hub.site)
    assert ran(pipeline.build(hub)) == ["site"]
    assert hash_folder(hub.site) == drawn
    damaged = hub.releases / versions[0] / "counts.csv"
    damaged.chmod(0o644)
    damaged.write_text("count\n1\n")
    shutil.rmtree(hub.site)
    with pytest.raises(ReleaseError, match=f"{versions[0]} is damaged"):
        pipeline.build(hub)
    assert not hub.site.exists()


def test_a_release_that_is_gone_is_not_taken_off_the_site_in_silence(two: Hub) -> None:
    hub = two
    first, before = sorted(hub.releases.iterdir())[0], hash_folder(hub.site)
    shutil.rmtree(first)
    with pytest.raises(HubError, match=first.name) as caught:
        pipeline.build(hub)
    assert caught.value.rule == "site-smaller"
    assert hash_folder(hub.site) == before
    for again in (pipeline.build, draw_site):
        hub.site.rename(hub.root / ".old-site-12345678")  # killed before the new one was in place
        with pytest.raises(HubError, match=first.name):
            again(hub)
        assert hash_folder(hub.site) == before


def changelog(bundle: Path) -> str:
    return (bundle / "CHANGELOG.md").read_text("utf-8")


def test_a_note_is_never_dropped(hub: Hub, ctdhub: Callable[..., tuple[int, str, str]]) -> None:
    """Whatever bundle holds the answer: it carries the note, or the command refuses."""
    made = str(released_version(hub))
    year, number = made.split(".")
    following = [f"{year}.{int(number) + k}" for k in (1, 2, 3)]
    entries = len(Ledger(hub.ledger).entries())
    for words in (["--version", made], []):  # a version that `build` published without a note
        code, _out, err = ctdhub("release", hub.root, *words, "--note", "adds two contributors")
        assert code == 2
        assert "release-exists" in err
        assert f"--version {following[0]}" in err
    make_real(hub)  # candidates wait from here on
    command = ["release", hub.root, "--version", following[0], "--note", "first\nsecond"]
    assert ctdhub(*command)[0] == 2, "a new version is paid for"
    command += ["--spend", "60"]
    assert ctdhub(*command)[0] == 0
    waiting = hub.candidates / following[0]
    assert "first\nsecond\n" in changelog(waiting)
    before = hash_folder(hub.candidates)
    assert ctdhub(*command)[0] == 0, "the same note is there already"
    for words in ([], command[2:4]):
        for note in ("another", "first\nthird", "firs"):
            code, _out, err = ctdhub("release", hub.root, *words, "--note", note)
            assert (code, "release-exists" in err) == (2, True), (words, note)
            assert f"--version {following[1]}" in err
    assert hash_folder(hub.candidates) == before
    command = ["release", hub.root, "--version", following[1], "--note", "another"]
    assert ctdhub(*command)[0] == 0
    assert "another\n" in changelog(hub.candidates / following[1])
    assert len(Ledger(hub.ledger).entries()) == entries + 1, "words cost nothing"


def test_a_note_on_a_written_version_is_refused_before_anything_is_paid(hub: Hub) -> None:
    set_policy(hub, epsilon=3.0)
    entries = len(Ledger(hub.ledger).entries())
    with pytest.raises(ReleaseError, match="a note is never added later") as caught:
        pipeline.build(hub, version=str(released_version(hub)), note="more privacy")
    assert caught.value.rule == "release-exists"
    assert len(Ledger(hub.ledger).entries()) == entries
    pipeline.build(hub, note="more privacy", until="release")
    assert "more privacy\n" in changelog(hub.releases / str(released_version(hub)))


def test_what_a_site_shows_beside_its_release_draws_it_again_and_spends_nothing(hub: Hub) -> None:
    """Stories, events and helplines; no helpline waits for two people to sign."""
    releases, entries = sorted(hub.releases.iterdir()), len(Ledger(hub.ledger).entries())
    pages = hub.site / "en"
    home, told = pages / "index.html", hub.site / "en/stories/a-corridor-is-not-a-cause.html"
    assert "Fictitious Helpline" in home.read_text("utf-8")
    assert told.is_file()
    events, lines = hub.root / "events.yaml", hub.root / "helplines.yaml"
    before = events.read_text("utf-8")
    events.write_text(before.replace("kind: film", "kind: party"), "utf-8")
    with pytest.raises(PolicyError):
        pipeline.build(hub)
    assert (hub.site / "en/events.html").is_file()
    events.write_text(before, "utf-8")
    story = hub.stories / f"{told.stem}.en.md"
    changed = {
        events: before.replace("kind: film", "kind: talk"),
        lines: lines.read_text("utf-8").replace("0142", "0177"),
        story: f"{story.read_text('utf-8')}\nOne line more.\n",
    }
    for file, text in changed.items():  # each of them alone is a reason
        old = file.read_text("utf-8")
        file.write_text(text, "utf-8")
        assert ran(pipeline.build(hub, dry=True)) == ["site"], file.name
        file.write_text(old, "utf-8")
    assert ran(pipeline.build(hub, dry=True)) == []
    for file, text in changed.items():
        file.write_text(text, "utf-8")
    events.unlink()
    assert ran(pipeline.build(hub)) == ["site"]
    assert "+44 808 157 0177" in home.read_text("utf-8")
    assert "One line more." in told.read_text("utf-8")
    assert not (hub.site / "en/events.html").exists()
    lines.unlink()
    settings = hub.root / "hub.yaml"
    settings.write_text(settings.read_text("utf-8") + "helpline: 0800 555 0100\n", "utf-8")
    assert ran(pipeline.build(hub)) == ["site"]
    page = home.read_text("utf-8")
    assert "0800 555 0100" in page
    assert "157 0177" not in page
    assert sorted(hub.releases.iterdir()) == releases
    assert len(Ledger(hub.ledger).entries()) == entries


def test_conservation_is_reported_for_every_file(hub: Hub) -> None:
    found = review.reports(hub)
    assert len(found) == 4
    for report in found:
        c = report["conservation"]
        assert c["rows_read"] == c["records"] + c["rejected"] + sum(c["excluded"].values())
        assert c["rejected"] > 0


def test_rows_are_not_people_in_the_release(hub: Hub) -> None:
    protected = open_release(hub.releases / str(released_version(hub))).protected
    assert protected.people.value == protected.records.num_rows
    assert protected.case_records.value > protected.people.value


def test_an_overspend_is_refused_and_the_last_release_stays(hub: Hub) -> None:

    set_policy(hub, epsilon=4.0, level=0.9, budget={"epsilon": 4.5})
    with pytest.raises(Overspend):
        pipeline.build(hub)
    assert verify(hub.releases / str(released_version(hub))) == []


def test_two_builds_at_once(hub: Hub) -> None:
    with hub.lock(), pytest.raises(HubFolderError, match="Another build"):
        pipeline.build(hub)


def test_missing_parts_name_the_remedy(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(HubFolderError, match="it has no hub"):
        Hub(tmp_path)
    hub.mapping("rivage-refuge").unlink()
    with pytest.raises(MappingError, match="ctdhub suggest"):
        pipeline.build(hub)
    (hub.root / "policy.yaml").unlink()
    with pytest.raises(PolicyError):
        pipeline.build(hub)


def test_no_case_value_right_of_the_border(hub: Hub) -> None:
    """Law 2: keys, identifiers and file names of contributors are nowhere in release or site."""
    markers = [b"PRACTICE-", b"Practice person", hub.person_key(), b"link_token"]
    markers += [c.file.name.encode() for c in hub.contributions()]
    for folder in (hub.releases, hub.site):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(m in content for m in markers), path


def test_a_release_that_is_gone_stays_published(hub: Hub) -> None:
    """Else its answer would pass for a draft and stand in the next version, byte by byte."""
    [release] = filter(Path.is_dir, hub.releases.iterdir())
    [entry] = Ledger(hub.ledger).entries()
    for path in (release, hub.releases):
        path.chmod(0o755)
    shutil.rmtree(release)
    assert paid.published(hub) == {entry.id: release.name}
    pipeline.build(hub, until="candidate", version="2099.1", note="later")
    assert len(Ledger(hub.ledger).entries()) == 2
    (hub.ledger / "published.json").write_text("[1]", "utf-8")
    with pytest.raises(ReleaseError):
        pipeline.build(hub)


def test_a_forgotten_ledger_is_noticed(hub: Hub) -> None:

    shutil.rmtree(hub.ledger)
    set_policy(hub, epsilon=2.0)
    with pytest.raises(LedgerTampered, match="ledger of this folder is gone"):
        pipeline.build(hub)


def test_a_practice_hub_keeps_its_size(built: Hub) -> None:
    assert init.practice_hub(built.root).root == built.root
    assert init.practice_hub(built.root, people=1_000).root == built.root
    with pytest.raises(HubFolderError, match="another size"):
        init.practice_hub(built.root, people=2_000)


def hide(hub: Hub, *contributors: str) -> None:
    """Let agreements say that counts of these contributors are not shown."""
    for name in contributors:
        path = hub.root / "contributors" / f"{name}.yaml"
        text = path.read_text("utf-8").replace("show_counts: true", "show_counts: false")
        path.write_text(text, "utf-8")


def test_the_release_has_counts_by_contributor_and_the_overlap_of_lists(hub: Hub) -> None:
    release = open_release(hub.releases / str(released_version(hub)))
    truth = json.loads((hub.root / "practice" / "truth.json").read_text("utf-8"))
    lists = tuple(truth["lists"]["with_tokens"])
    sources = release.protected.sources
    assert sources is not None
    assert sources.lists == lists
    assert sources.contributors == tuple(c.id for c in release.facts.contributors)
    found, sigma = sources.cells("lists"), sources.sigma["lists"]
    exact = Overlap.read(hub.work / "people" / "overlap.json")
    assert sources.list_years == exact.years == (2014, 2025), "the years that all of them cover"
    planted = {tuple(known.split(" + ")): n for known, n in truth["lists"]["overlap"].items()}
    on_lists = sum(n for known, n in planted.items() if {*known} & {*lists})
    assert 0.5 * on_lists < sum(exact.people.values()) < on_lists
    for known in planted:
        names = tuple(name for name in lists if name in known)
        if names:
            here = exact.people.get(names, 0)
            assert found["+".join(names)] == pytest.approx(here, abs=6 * sigma + 1)
    by_name = by_contributor(release, {})
    everybody = sum(float(s.noisy.sum()) + s.no_year for s in by_name.values())
    cells = sum(s.noisy.size + 1 for s in by_name.values())
    reach = 6 * by_name["harbour-casework"].sigma * cells**0.5
    assert everybody == pytest.approx(truth["people"], abs=reach)
    last = truth["stopped"][0]["last_year"]
    stopped = by_name[truth["stopped"][0]["contributor"]]
    after = stopped.noisy[stopped.years.index(str(last)) + 1 :]
    assert np.abs(after).max() < 6 * stopped.sigma


def test_contributors_that_are_not_shown_are_pooled_by_a_new_answer(hub: Hub) -> None:
    spent = len(Ledger(hub.ledger).entries())
    set_policy(hub, sources={"share": 0.05})
    hide(hub, "harbour-casework", "rivage-refuge")
    change_years(hub, "harbour-casework", "[2014, 2025]")
    assert "protect" in ran(pipeline.build(hub, until="release"))
    assert len(Ledger(hub.ledger).entries()) == spent + 1
    release = open_release(hub.releases / str(released_version(hub)))
    assert list(by_contributor(release, {})) == ["beacon-hotline", "mirador-observatory", ""]
    assert release.protected.sources is not None
    assert not release.protected.sources.lists
    assert ran(pipeline.build(hub, until="release")) == []


def change_years(hub: Hub, contributor: str, years: str) -> None:
    """Let an agreement cover other years."""
    path = hub.root / "contributors" / f"{contributor}.yaml"
    agreement = yaml.safe_load(path.read_text("utf-8")) | {"years": yaml.safe_load(years)}
    path.write_text(yaml.safe_dump(agreement, allow_unicode=True), "utf-8")


def test_two_hidden_are_no_company_in_years_in_which_one_reports(hub: Hub) -> None:
    spent = len(Ledger(hub.ledger).entries())
    set_policy(hub, sources={"share": 0.05})
    hide(hub, "beacon-hotline", "rivage-refuge")
    with pytest.raises(PolicyError, match="In 2012–2013 only beacon-hotline reports") as caught:
        pipeline.build(hub)
    assert caught.value.rule == "sources-company"
    assert "sources: {share: 0}" in caught.value.fix
    change_years(hub, "beacon-hotline", "[2014, 2025]")
    set_policy(hub, columns=[*COLUMNS, "source_type"])
    with pytest.raises(PolicyError, match="of its kind") as caught:
        pipeline.build(hub)
    assert "Take source_type out of columns" in caught.value.fix
    assert len(Ledger(hub.ledger).entries()) == spent


def test_a_hub_that_agreed_on_nothing_counts_nothing_by_contributor(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its page of trends is made all the same."""
    set_policy(hub, sources={"share": 0.05}, columns=[*COLUMNS, "source_type"])
    for path in (hub.root / "contributors").glob("*.yaml"):
        agreement = yaml.safe_load(path.read_text("utf-8"))
        del agreement["show_counts"]
        path.write_text(yaml.safe_dump(agreement, allow_unicode=True), "utf-8")
    pipeline.build(hub, until="release")
    release = open_release(hub.releases / str(released_version(hub)))
    assert release.protected.sources is None
    assert by_contributor(release, {}) == {}
    monkeypatch.undo()  # few pages have no trends
    page = drawn(hub, tmp_path / "site", "trends")
    assert "did not measure which of them registered these people" in page


def test_one_alone_cannot_be_hidden_among_others(hub: Hub) -> None:
    spent = len(Ledger(hub.ledger).entries())
    set_policy(hub, sources={"share": 0.05})
    hide(hub, "rivage-refuge")
    with pytest.raises(PolicyError, match="rivage-refuge") as caught:
        pipeline.build(hub)
    assert caught.value.rule == "sources-company"
    assert "sources: {share: 0}" in caught.value.fix
    assert len(Ledger(hub.ledger).entries()) == spent
    set_policy(hub, sources={"share": 0})
    pipeline.build(hub, until="release")
    release = open_release(hub.releases / str(released_version(hub)))
    assert release.protected.sources is None
    assert release.protected.measurements.num_rows


def test_a_list_of_nobody_is_refused(hub: Hub) -> None:
    set_policy(hub, sources={"lists": ["harbour-casework", "unheard-of"]})
    with pytest.raises(PolicyError, match="unheard-of"):
        pipeline.build(hub)
    assert open_release(hub.releases / str(released_version(hub))).protected.sources


def drawn(hub: Hub, folder: Path, kind: str) -> str:
    """One page of the site that the newest release of a hub would have."""
    release = open_release(hub.releases / str(released_version(hub)))
    build_site(release, folder, edition=edition(hub), only=[kind], languages=["en"])
    return (folder / "en" / f"{kind}.html").read_text("utf-8")


def test_a_weak_promise_gives_its_reason_or_nothing_is_built(hub: Hub, tmp_path: Path) -> None:
    words = "Nobody is at risk here; a <reader> learns more."
    release = hub.releases / str(released_version(hub))
    manifest = json.loads((release / "manifest.json").read_text())
    assert "fictitious" in manifest["facts"]["promise_reason"], "a practice hub says it too"
    set_policy(hub, reason=" ")
    with pytest.raises(PolicyError, match="does not say why"):
        pipeline.build(hub)
    assert len(Ledger(hub.ledger).entries()) == 1
    set_policy(hub, reason=words, epsilon=3.0)
    pipeline.build(hub, until="release")
    release = hub.releases / str(released_version(hub))
    assert json.loads((release / "manifest.json").read_text())["facts"]["promise_reason"] == words
    assert "a &lt;reader&gt; learns more" in (release / "README.md").read_text("utf-8")
    assert "a &lt;reader&gt; learns more" in drawn(hub, tmp_path / "site", "methods")
    set_policy(hub, reason="", epsilon=1.0, budget={"epsilon": 900.0})
    with pytest.raises(PolicyError, match="budget at most 3"):
        pipeline.build(hub)
