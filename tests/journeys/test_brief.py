"""``ctdhub brief`` in a hub: documents for everybody, and a report for one contributor alone."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctdhub.cli import main, output
from ctdhub.core.errors import HubFolderError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.document import Document
from ctdhub.document.html import write as to_html
from ctdhub.hub.folder import Hub
from ctdhub.hub.private.pages import leaving_report, own_profile, own_report
from ctdhub.release.bundle import latest_release
from ctdhub.release.open import open_release
from ctdhub.stats.answers import Answers
from tests.fixtures.hubs import REPORTED

pytest.importorskip("typst", reason="typst is missing: pip install '.[pdf]'")
OWN = "harbour-casework"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``ctdhub brief`` as a user types it, in a folder of its own."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("CTDHUB_LANG", "en")
    for shown in (output.console, output.errors):
        monkeypatch.setattr(shown, "_width", 200)

    def once(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["ctdhub", "brief", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        told = capsys.readouterr()
        return Done(int(ended.value.code or 0), told.out, told.err)

    return once


def last_answers(hub: Hub) -> Answers:
    found = latest_release(hub.releases)
    assert found is not None
    return Answers(open_release(found))


def report(hub: Hub, contributor: str, *compared: str) -> Document:
    answers = last_answers(hub)
    agreement, own = own_profile(hub, contributor)
    with language("en"):
        return own_report(agreement, own, answers, date(2026, 11, 25), compared)


def test_a_brief_is_written_as_pdf_and_as_page(built: Hub, run: Run) -> None:
    done = run(str(built.root), "--region", "Europe", "--lang", "ar")
    assert done.code == 0, done.err
    assert Path("brief-europe.ar.pdf").read_bytes().startswith(b"%PDF")
    assert 'dir="rtl"' in Path("brief-europe.ar.html").read_text("utf-8")


def test_out_and_format_decide_where_and_what(built: Hub, run: Run) -> None:
    release = latest_release(built.releases)
    target = Path("deep") / "italy.html"
    command = (str(release), "--country", "Italia", "--format", "html", "--out", str(target))
    assert "rule enoent" in run(*command).err
    target.parent.mkdir()
    done = run(*command)
    assert done.code == 0, done.err
    assert target.is_file()
    assert not list(Path().rglob("*.pdf"))


def test_the_numbers_come_with_their_questions(built: Hub, run: Run) -> None:
    release = latest_release(built.releases)
    done = run(str(release), "--region", "europe", "--format", "json")
    assert done.code == 0, done.err
    held = json.loads(Path("brief-europe.en.json").read_text("utf-8"))
    assert "Practice data: fictitious." in held["citation"]
    people = next(n for n in held["numbers"] if n["id"] == "europe-exploited.people")
    asked = {name: tuple(values) for name, values in people["part"].items()}
    assert release is not None
    assert Answers(open_release(release)).count(asked).value == people["value"]


def test_a_poster_for_a_day(built: Hub, run: Run) -> None:
    done = run(str(built.root), "--day", "2026-12-02", "--poster", "--lang", "fr")
    assert done.code == 0, done.err
    assert Path("brief-day-2026-12-02-poster.fr.pdf").is_file()


@pytest.mark.parametrize(
    ("arguments", "rule", "words"),
    [
        ((), "subject", "--country"),
        (("--country", "ITA", "--region", "eu"), "subject", "not 2"),
        (("--country", "Itly"), "country", "ITA"),
        (("--region", "Erope"), "region", "europe"),
        (("--corridor", "CIV"), "corridor", "CIV-ITA"),
        (("--day", "soon"), "day", "2026-10-18"),
        (("--contributor", "nobody"), "contributor", OWN),
        (("--contributor", OWN, "--poster"), "poster", "--poster"),
        (("--contributor", OWN, "--format", "json"), "format", "pdf"),
        (("--country", "ITA", "--lang", "xx"), "usage", ", ".join(LANGUAGES)),
        (("--country", "ITA", "--format", "docx"), "usage", "html"),
        (("--country", "ITA", "--fonts", "nowhere"), "fonts", ".ttf"),
    ],
)
def test_wrong_arguments_end_with_a_remedy(
    built: Hub, run: Run, arguments: tuple[str, ...], rule: str, words: str
) -> None:
    done = run(str(built.root), *arguments)
    assert done.code == 2
    assert f"rule {rule}" in done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert not list(Path().iterdir())


def test_without_a_release_there_is_no_brief(tmp_path: Path, run: Run) -> None:
    done = run(str(tmp_path), "--country", "ITA")
    assert done.code == 2
    assert "rule no-release" in done.err


def test_a_private_report_lies_in_work_and_only_its_owner_reads_it(hub: Hub, run: Run) -> None:
    done = run(str(hub.root), "--contributor", OWN)
    assert done.code == 0, done.err
    assert "do not publish" in done.out
    for form in ("pdf", "html"):
        file = hub.work / "reports" / f"{OWN}.en.{form}"
        assert file.stat().st_mode & 0o077 == 0


def test_a_private_report_never_keeps_the_loose_mode_of_an_older_file(hub: Hub, run: Run) -> None:
    target = hub.work / "reports" / f"{OWN}.en.html"
    target.parent.mkdir(exist_ok=True)
    target.write_text("older", "utf-8")
    target.chmod(0o644)
    beside = {p.name for p in target.parent.iterdir()}
    done = run(str(hub.root), "--contributor", OWN, "--format", "html")
    assert done.code == 0, done.err
    assert target.stat().st_mode & 0o777 == 0o600
    assert {p.name for p in target.parent.iterdir()} == beside


@pytest.mark.parametrize("folder", ["site", "releases", "candidates", "stories", "."])
def test_a_private_report_is_refused_among_published_files(
    built: Hub, run: Run, folder: str
) -> None:
    target = built.root / folder / "report.html"
    done = run(str(built.root), "--contributor", OWN, "--out", str(target))
    assert done.code == 2
    assert "rule private" in done.err
    assert not target.exists()


def test_the_report_says_the_exact_truth(built: Hub) -> None:
    sheet = report(built, OWN)
    files = list((built.work / "harmonised" / OWN).rglob("records.parquet"))
    records = pa.concat_tables([pq.read_table(f) for f in files])
    people = {
        key or record
        for key, record in zip(
            records["person_key"].to_pylist(), records["record_id"].to_pylist(), strict=True
        )
    }
    accounts = [
        json.loads(f.with_name("report.json").read_text("utf-8"))["conservation"] for f in files
    ]
    rows = dict(sheet.sections[0].blocks[0].rows)  # type: ignore[union-attr]
    assert rows == {
        "Rows read": f"{sum(a['rows_read'] for a in accounts):,}",
        "Records made of them": f"{records.num_rows:,}",
        "People whom these records are about": f"{len(people):,}",
    }
    assert sheet.meta.mark.startswith("Private, for this contributor only")


def test_it_says_what_comparing_releases_tells(built: Hub) -> None:
    assert "It can be told." in to_html(report(built, OWN, "It can be told."))
    left = leaving_report("Left", ["It can be told."], last_answers(built), date(2026, 11, 25))
    assert left.meta.mark.startswith("Private, for this contributor only")
    assert "It can be told." in to_html(left)


def test_the_report_depends_on_nobody_elses_records(hub: Hub) -> None:
    """Other contributors' files and work are gone; the same report comes out."""
    before = to_html(report(hub, OWN))
    for other in (hub.root / "contributions").iterdir():
        if other.name != OWN:
            shutil.rmtree(other)
            shutil.rmtree(hub.work / "harmonised" / other.name)
    shutil.rmtree(hub.work / "people")
    assert to_html(report(hub, OWN)) == before


def test_the_report_names_no_record_and_no_person(built: Hub) -> None:
    html = to_html(report(built, OWN))
    for file in (built.work / "harmonised" / OWN).rglob("records.parquet"):
        records = pq.read_table(file, columns=["record_id", "person_key", "source_file"])
        for name in records.column_names:
            for value in records[name].drop_null().unique().to_pylist()[:2000]:
                assert value not in html


def test_release_and_site_never_hold_the_report(built: Hub) -> None:
    """The site was written while the report lay in the hub, so it had every chance to take it."""
    held = {file.name for file in (built.work / "reports").iterdir()}
    assert held == {f"{REPORTED}.en.pdf", f"{REPORTED}.en.html"}
    mark = report(built, REPORTED).meta.mark
    assert mark.startswith("Private, for this contributor only")
    assert mark in (built.work / "reports" / f"{REPORTED}.en.html").read_text("utf-8")
    seen = 0
    for folder in (built.site, built.releases, built.candidates):
        for file in folder.rglob("*"):
            if file.is_file():
                seen += 1
                assert mark not in file.read_text("utf-8", errors="ignore"), file
                assert not re.search(rf"{REPORTED}\.(en|fr|es|ar)\.(pdf|html)", file.name)
    assert seen > 100


def test_changed_files_must_be_built_first(hub: Hub) -> None:
    mapping = hub.mapping(OWN)
    mapping.write_text(mapping.read_text("utf-8") + "\n# changed\n", "utf-8")
    with pytest.raises(HubFolderError) as caught:
        own_profile(hub, OWN)
    assert caught.value.rule == "not-built"
    assert "--until link" in caught.value.fix
