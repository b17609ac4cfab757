"""What a release keeps on a site: drawn once, the same in every later site but for its slots."""

from __future__ import annotations

import html
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from invented_release import TABLES, protected_answer
from lists_of_invented_people import invented, sources_of
from moving_release import moving_release

from ctdhub.border import Protected
from ctdhub.core.errors import HubError
from ctdhub.core.files import WRITING
from ctdhub.core.i18n import language
from ctdhub.core.keys.signing import make_key
from ctdhub.release import open as opening
from ctdhub.release.approvals import ROLES
from ctdhub.release.bundle import write_release
from ctdhub.release.errata import Erratum, Notice, Sort
from ctdhub.release.manifest import Manifest
from ctdhub.release.open import Release, digest, open_release
from ctdhub.report.figures import figures, sides
from ctdhub.report.helplines import Help, Helpline
from ctdhub.report.mse import seen, spread
from ctdhub.site import cards, render
from ctdhub.site.build import build_site
from ctdhub.site.cards import CardLog, archive, emptied, faults
from ctdhub.site.edition import PLAIN, Content, Edition, PageKind, WholePage
from ctdhub.site.frame import Page, Sharing, card_address, cited
from ctdhub.site.render import PAGES, PageLog, Paths
from ctdhub.stats.answers import Answers
from ctdhub.stats.mse.of_release import estimate_in, list_names

PRACTICE = Path(str(resources.files("ctdhub.practice")))
OLDEST, OLD, NEW = "2024.1", "2025.1", "2026.1"
UKRAINE = "places/ukr.html"
PUBLIC = Edition(Sharing("https://data.example.org/"))


def made(folder: Path, version: str, **facts: object) -> Release:
    answer = protected_answer(tables=TABLES, facts={"languages": ["en"], **facts})
    return open_release(write_release(answer, folder / "releases", version, "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"), NEW)


CHOSEN = ("home", "explorer", "places", "trends", "changes", "data", "get_help", "help", "methods")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site of few kinds of page."""
    monkeypatch.setattr(render, "PAGES", tuple(k for k in PAGES if k.name in CHOSEN))


class Hub:
    """Two releases, what is noted of their cards, and what was drawn of them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.old, self.new = made(root, OLD), made(root, NEW)
        self.noted: dict[str, list[str]] = {}
        self.drawn: list[str] = []
        draw = cards.draw

        def noting(answers: Answers, *rest: object, **more: object) -> None:
            self.drawn.append(answers.release.version)
            draw(answers, *rest, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(cards, "draw", noting)

    def note(self, version: str, sha256: str) -> None:
        self.noted.setdefault(version, []).append(sha256)

    def site(self, lead: Release, *others: Release, edition: Edition = PUBLIC) -> Path:
        build_site(
            lead, self.root / "site", None, edition, others, kept=CardLog(self.note, self.noted)
        )
        return self.root / "site"

    def faults(self, version: str) -> list[str]:
        site = self.root / "site" / "r" / version
        return [f.file for f in faults(self.old.path.with_name(version), self.noted[version], site)]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: None) -> Hub:
    return Hub(tmp_path, monkeypatch)


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def numbers(card: str) -> list[str]:
    return re.findall(r'<td class="n">([^<]*)</td>', card)


def test_a_later_release_or_helpline_changes_only_slots(hub: Hub) -> None:
    first = bytes_of(hub.site(hub.old) / "r" / OLD)
    told = replace(PUBLIC, help=Help(text="0800 1"))
    killed = archive(hub.new.path)
    killed.with_name(f"{WRITING}{killed.name}-0123abcd").write_bytes(b"PK")
    site = hub.site(hub.new, hub.old, edition=told)
    assert hub.drawn == [OLD, NEW], "each release once"
    assert {p.name for p in archive(hub.old.path).parent.iterdir()} == {
        *(OLD, NEW, archive(hub.old.path).name, archive(hub.new.path).name)
    }, "nothing that a killed run left"
    hub.site(hub.new, hub.old)
    assert hub.drawn == [OLD, NEW]
    site = hub.site(hub.new, hub.old, edition=told)
    second = bytes_of(site / "r" / OLD)
    assert first.pop("release.zip")  # of the newest alone
    assert first.keys() == second.keys()
    changed = {name for name, content in first.items() if second[name] != content}
    assert changed == {"index.html", *(name for name in first if name.startswith("en/"))}
    del first["index.html"], second["index.html"]  # it leads to the cards, and is none
    assert {n: emptied(c) for n, c in first.items()} == {n: emptied(c) for n, c in second.items()}
    card = second[f"en/{UKRAINE}"].decode()
    assert "0800 1" in card
    assert "Release 2025.1 is not the newest" in card
    assert 'href="../../../../en/countries/ukr.html"' in card, "a reader comes on from there"
    assert numbers(card) == numbers(first[f"en/{UKRAINE}"].decode())
    assert len(numbers(card)) > 20
    assert "<script" not in card


@pytest.mark.usefixtures("few")
def test_a_later_site_reads_no_tables_of_what_was_compared_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (OLDEST, OLD, NEW):
        made(tmp_path, version)
    read, noted = list[str](), dict[str, list[str]]()
    read_protected = opening.read_protected

    def reading(folder: Path, manifest: Manifest) -> Protected:
        read.append(folder.name)
        return read_protected(folder, manifest)

    def note(version: str, sha256: str) -> None:
        noted.setdefault(version, []).append(sha256)

    monkeypatch.setattr(opening, "read_protected", reading)
    for number in ("0800 1", "0800 2"):
        read.clear()
        lead, *others = opening.open_releases(tmp_path / "releases")
        log = PageLog(tmp_path / "site", tmp_path / "pages.json", "1")
        edition = replace(PUBLIC, help=Help(text=number))
        build_site(lead, tmp_path / "site", None, edition, others, kept=CardLog(note, noted, log))
        assert not any("protected" in vars(each) for each in (lead, *others)), "nothing is held"
        assert (OLDEST in read) == (number == "0800 1")
        assert number in (tmp_path / "site" / "r" / OLDEST / "en" / UKRAINE).read_text("utf-8")


def dead(site: Path, *folders: str) -> set[str]:
    """Addresses in the pages of folders of a site, of this site, at which nothing is."""
    lost = set()
    for page in (page for folder in folders for page in (site / folder).rglob("*.html")):
        text = re.sub("<script>.*?</script>", "", page.read_text("utf-8"), flags=re.DOTALL)
        text = html.unescape(text)
        own = re.findall(r'(?:href|src)="(?!https?:|mailto:|tel:|data:)([^"#]+)', text)
        cited = re.findall(r'data-place="https://data\.example\.org/([^"#]+)', text)
        own += re.findall(r'"(?:words|data|worker|card)":"(\.\./[^"]+)"', text)
        targets = [*(page.parent / each for each in own), *(site / each for each in cited)]
        for each in targets:
            if not any(one.is_file() for one in each.parent.glob(each.name.replace("{name}", "*"))):
                lost.add(f"{page.relative_to(site)} -> {each}")
    return lost


def withdrawn(release: Release, sort: Sort = "withdrawn") -> Release:
    """The release with a notice that two people signed."""
    notice = Notice(
        hub=release.facts.hub,
        version=release.version,
        digest=digest(release.path),
        number=1,
        sort=sort,
        date="2026-01-02",
        note={"en": "Wrong people."},
    )
    erratum = Erratum(notice=notice)
    for role in ROLES:
        key = make_key(release.path.parent / f"{release.version}-{role}.pem")
        erratum = erratum.signed(role, "2026-01-02T00:00:00Z", key)
    return replace(release, errata=(erratum,))


@pytest.mark.parametrize("stands", [True, False])
def test_a_card_leads_to_a_page_that_exists(hub: Hub, *, stands: bool) -> None:
    """The newest release may no longer show a country, or speak a language, that an old one did."""
    arabic = made(hub.root / "arabic", OLD, languages=["en", "ar"])
    answer = protected_answer(tables=TABLES[:3], facts={"languages": ["en"]})
    small = open_release(write_release(answer, hub.root / "small" / "releases", NEW, "Few."))
    build_site(small, hub.root / "out", earlier=[arabic if stands else withdrawn(arabic)])
    for code in ("en", "ar"):
        card = hub.root / "out" / card_address(code, OLD, UKRAINE)
        targets = re.findall(r'href="(\.\./[^"#]*)', card.read_text("utf-8"))
        assert targets
        assert all((card.parent / target).is_file() for target in targets), targets
    assert dead(hub.root / "out", "r") == set()


def test_nothing_is_dead_where_all_was_withdrawn(tmp_path: Path) -> None:
    """Also with all kinds of page: no page of those that stay leads to one that went."""
    build_site(withdrawn(made(tmp_path, NEW)), tmp_path / "site")
    assert dead(tmp_path / "site", "en", "r") == set()
    index = (tmp_path / "site" / card_address("en", NEW)).read_text("utf-8")
    assert "No release replaces it yet." in index


def test_what_later_software_draws_is_added(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages name it: a kind of card or file that the archive has not, and a language."""
    with monkeypatch.context() as earlier:
        lines = next(kind for kind in PAGES if kind.name == "trends")
        without = replace(lines, cards=lambda _content: (), files=lambda _folder, _content: None)
        earlier.setattr(render, "PAGES", (*(k for k in render.PAGES if k != lines), without))
        first = bytes_of(hub.site(hub.new) / "r" / NEW)
    assert not any("trend" in name for name in first)
    site = hub.site(hub.new)
    second = bytes_of(site / "r" / NEW)
    assert [d for d in dead(site, "en", "r") if f"/r/{NEW}/" in d.partition(" -> ")[2]] == []
    assert any("trend" in name for name in second.keys() - first.keys())
    assert {n: emptied(second[n]) for n in first} == {n: emptied(c) for n, c in first.items()}
    assert len(hub.noted[NEW]) == 2
    assert hub.faults(NEW) == []
    assert bytes_of(hub.site(hub.new) / "r" / NEW) == second
    assert hub.drawn == [NEW, NEW], "once more, and then no more"


@pytest.mark.usefixtures("few")
def test_every_figure_is_cited_where_it_is_shown(release: Release, tmp_path: Path) -> None:
    edition = Edition(Sharing("https://data.example.org/"))
    build_site(release, tmp_path / "site", edition=edition)
    answers = Answers(release)
    with language("en"):
        among = [None, *sides("UKR").values()]
        drawn = [f for one in among for f in (figures(answers, one) if one else figures(answers))]
    for figure in drawn:
        place, _, id_ = cited(figure, "en", NEW).partition("#")
        card = (tmp_path / "site" / place).read_text("utf-8")
        own = card[card.index(f'<figure id="{id_}"') :]
        values = [str(cell) for bar in figure.bars for cell in bar.cells]
        assert [html.unescape(n) for n in numbers(own[: own.index("</figure>")])] == values
    page = (tmp_path / "site/en/countries/ukr.html").read_text("utf-8")
    places = set(re.findall(r'data-place="([^"#]*)#', page))
    assert places == {f"https://data.example.org/{card_address('en', NEW, UKRAINE)}"}


def test_what_was_changed_since_is_refused_and_found(hub: Hub) -> None:
    site = hub.site(hub.new, hub.old) / "r" / OLD
    assert hub.faults(OLD) == []
    card = site / "en" / UKRAINE
    text = card.read_text("utf-8")
    card.write_text(text.replace("<!--status:", "New words.<!--status:"), "utf-8")
    assert hub.faults(OLD) == [f"r/{OLD}/en/{UKRAINE}"]
    card.write_text(text.replace("is not the newest", "is very old"), "utf-8")
    assert hub.faults(OLD) == [], "only what a slot holds"
    card.rename(card.with_name("forged.html"))
    assert hub.faults(OLD) == [f"r/{OLD}/en/places/forged.html", f"r/{OLD}/en/{UKRAINE}"]
    file = archive(hub.old.path)
    file.write_bytes(file.read_bytes().replace(b"en/gender.html", b"en/gander.html"))
    assert hub.faults(OLD) == [file.name]
    with pytest.raises(HubError) as caught:
        hub.site(hub.new, hub.old)
    assert caught.value.rule == "cards-changed"


def test_an_archive_that_nobody_noted_is_drawn_anew(hub: Hub) -> None:
    """Whoever put it there; outside a hub nobody can know."""
    hub.site(hub.old)
    file = archive(hub.old.path)
    whole, noted = file.read_bytes(), hub.noted.pop(OLD)
    with zipfile.ZipFile(file, "a") as held:
        held.writestr("en/forged.html", "<table>")
    outside = hub.root / "nowhere"
    assert [f.file for f in faults(hub.old.path, (), outside)] == [file.name]
    assert [*faults(hub.old.path, None, outside)] == []
    site = hub.site(hub.old)
    assert not (site / "r" / OLD / "en" / "forged.html").exists()
    assert (file.read_bytes(), hub.noted[OLD]) == (whole, noted)


def test_a_lost_archive_is_missed_and_drawn_anew(hub: Hub) -> None:
    """By the same software as it was; the journal has one line."""
    hub.site(hub.old)
    file = archive(hub.old.path)
    whole = file.read_bytes()
    file.unlink()
    assert [(f.kind, f.file) for f in faults(hub.old.path, hub.noted[OLD], hub.root)] == [
        ("missing", file.name)
    ]
    hub.site(hub.old)
    assert file.read_bytes() == whole
    assert len(hub.noted[OLD]) == 1


@pytest.mark.parametrize("spoil", [lambda b: b[:-30], lambda b: b[:200] + b[220:], lambda _b: b""])
def test_a_damaged_archive_is_a_fault(hub: Hub, spoil: Callable[[bytes], bytes]) -> None:
    site = hub.site(hub.old) / "r" / OLD
    file = archive(hub.old.path)
    file.write_bytes(spoil(file.read_bytes()))
    assert [(f.kind, f.file) for f in faults(hub.old.path, None, site)] == [("changed", file.name)]


def test_a_kill_between_note_and_archive_loses_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(cards, "rewrite", lambda *_a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            hub.site(hub.old)
    hub.site(hub.old)
    assert len(hub.noted[OLD]) == 1
    hub.noted[OLD].append("0" * 64)  # one that was to follow it
    hub.site(hub.old)
    assert hub.faults(OLD) == []


def test_nothing_is_kept_before_the_site_has_an_address(hub: Hub) -> None:
    """What is kept names the address at which it is cited."""
    hub.site(hub.old, edition=PLAIN)
    assert not archive(hub.old.path).exists()
    site = hub.site(hub.old)
    assert "https://data.example.org/" in (site / "r" / OLD / "charts/gender.csv").read_text(
        "utf-8"
    )
    first = archive(hub.old.path).read_bytes()
    hub.site(hub.old, edition=PLAIN)
    assert archive(hub.old.path).read_bytes() == first
    assert hub.faults(OLD) == []


def test_the_card_of_a_release_is_no_chart(hub: Hub) -> None:
    site = hub.site(hub.new)
    index = (site / card_address("en", NEW)).read_text("utf-8")
    assert "Open on the site" not in index
    assert 'href="../../../en/index.html"' in index
    assert "Open on the site" in (site / card_address("en", NEW, UKRAINE)).read_text("utf-8")


def test_the_index_of_a_release_leads_to_all_that_it_keeps(hub: Hub) -> None:
    """Its folder alone is an address too, and leads there, also when it was withdrawn."""
    folder = hub.site(hub.new) / "r" / NEW
    index = folder / "en" / "index.html"
    led = {
        (index.parent / to).resolve() for to in re.findall(r'href="([^"#:]+)"', index.read_text())
    }
    kept = {path.resolve() for path in folder.rglob("*") if path.is_file()}
    assert {path.name for path in kept - led} == {"index.html", "release.zip"}
    door = (folder / "index.html").read_text("utf-8")
    assert 'href="en/index.html#files"' in door
    assert "is not the newest" not in door
    later = made(hub.root / "later", "2027.1")
    build_site(later, hub.root / "out", edition=PUBLIC, earlier=[hub.new, withdrawn(hub.old)])
    assert "is not the newest" in (hub.root / "out" / "r" / NEW / "index.html").read_text("utf-8")
    gone = (hub.root / "out" / "r" / OLD / "index.html").read_text("utf-8")
    assert 'href="en/index.html"' in gone
    assert "#files" not in gone
    assert "Wrong people." in gone


@pytest.mark.usefixtures("few")
def test_slots_cannot_be_written_by_a_hub(tmp_path: Path) -> None:
    """A name that looks like a slot, or like its end, is text."""
    evil = "<!--/--><!--help:ITA-->"
    release = made(tmp_path, NEW, hub=evil, contributors=[{"name": evil, "kind": "hotline"}])
    build_site(release, tmp_path / "site", edition=Edition(help=Help(text=evil)))
    card = (tmp_path / "site" / card_address("en", NEW, UKRAINE)).read_bytes()
    assert len(re.findall(rb"<!--(?:status|help):", card)) == 2
    assert card.count(b"<!--/-->") == 2
    assert emptied(emptied(card)) == emptied(card)


def test_the_same_release_gives_the_same_archive(hub: Hub, tmp_path: Path) -> None:
    hub.site(hub.old)
    first = archive(hub.old.path).read_bytes()
    archive(hub.old.path).unlink()
    hub.noted.clear()
    told = replace(PUBLIC, help=Help(text="0800 1"), contact="a@b.example", lead={"en": "Words."})
    hub.site(hub.old, edition=replace(told, offline=True))
    assert archive(hub.old.path).read_bytes() == first


def test_a_link_is_judged_without_drawing_more_than_needed(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events.yaml").write_bytes((PRACTICE / "events.yaml").read_bytes())
    edition, asked = Edition.of(tmp_path), list[str]()

    def noting(kind: PageKind) -> PageKind:
        def pages(content: Content) -> object:
            asked.append(kind.name)
            return kind.pages(content)

        return replace(kind, pages=pages)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "PAGES", tuple(map(noting, PAGES)))
    paths = Paths(Content(Answers(release), edition))
    assert "trends.html" in paths
    assert asked == []
    assert "countries/europe.html" in paths
    assert "mandated" not in asked
    assert "countries/nowhere.html" not in paths
    assert "stories" not in asked
    assert "events.html" not in Paths(Content(Answers(release), PLAIN))


# --------------------------------------------------------------------------------------------------
# Every chart of every page: its citation and its frame lead to a card with the same numbers.


class Charts(HTMLParser):
    """The charts of a page as somebody without scripts meets them.

    Attributes:
        cells: of the tables of each, by its id.
        places: where its share box says that it lies for good; ``texts`` what it offers to copy.
    """

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.cells: dict[str, list[str]] = {}
        self.places: dict[str, str] = {}
        self.texts: dict[str, list[str]] = {}
        self.scripts = 0
        self._own, self._into = "", ""
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.scripts += tag == "script"
        if tag == "figure":
            self._own = told["id"]
            self.cells[self._own], self.texts[self._own] = [], []
        if not self._own:
            return
        if "data-place" in told:
            self.places[self._own] = told["data-place"]
        if tag == "td":
            self._into = tag
            self.cells[self._own].append("")
        if "data-copy" in told:
            self._into = tag
            self.texts[self._own].append("")

    def handle_endtag(self, tag: str) -> None:
        self._own = "" if tag == "figure" else self._own
        self._into = "" if tag == self._into else self._into

    def handle_data(self, data: str) -> None:
        if self._own and self._into:
            into = self.cells if self._into == "td" else self.texts
            into[self._own][-1] += data


EXPLORER = "explore.html"
"""Its chart is made by a script, and cited as the explorer's card with its filters."""


def uncited(site: Path, base: str) -> tuple[set[str], set[str]]:
    """Ids of the charts of the pages of a site whose citation and frame hold their numbers, and
    page and id of those that do not."""
    held, lost = set[str](), set[str]()
    for page in (path for code in ("en", "ar") for path in (site / code).rglob("*.html")):
        if page.name == EXPLORER:
            continue
        drawn = Charts(page)
        for id_, cells in drawn.cells.items():
            place = drawn.places.get(id_, "")
            path, _, anchor = place.removeprefix(base).partition("#")
            card = site / path
            cited = [text for text in drawn.texts[id_] if place and place in text]
            frames = [text for text in cited if text.startswith(f'<iframe src="{place}"')]
            shown = Charts(card) if path.startswith("r/") and card.is_file() else None
            if (
                shown
                and not shown.scripts
                and len(frames) == 1
                and len(cited) >= 4  # link, sentence, citation, frame
                and cells
                and shown.cells.get(anchor) == cells
            ):
                held.add(anchor)
            else:
                lost.add(f"{page.relative_to(site)}#{id_}")
    return held, lost


def test_every_chart_is_cited_and_framed_with_its_numbers(tmp_path: Path) -> None:
    """Of every kind of page, where nothing is left out: there are signals and gaps to draw."""
    release, base = moving_release(tmp_path), PUBLIC.sharing.url
    build_site(release, tmp_path / "site", edition=PUBLIC, languages=("en", "ar"))
    held, lost = uncited(tmp_path / "site", base)
    assert lost == set()
    assert {
        *("people-by-year", "corridors", "all-corridors", "trends-total", "signal-1"),
        *("map-corridors", "map-citizenship", "map-exploitation", "assistance-citizenship-group"),
    } <= held
    assert any(id_.startswith("exploited-") for id_ in held)
    card = tmp_path / "site" / card_address("en", release.version, "map-citizenship.html")
    text = card.read_text("utf-8")
    card.write_text(text.replace('<td class="n">', '<td class="n">1', 1), "utf-8")
    assert uncited(tmp_path / "site", base)[1] == {"en/map-citizenship.html#map-citizenship"}


def test_estimates_are_cited_and_framed_with_what_they_assume(tmp_path: Path) -> None:
    ids = ("one", "two", "three")
    told = {
        "languages": ["en", "ar"],
        "contributors": [{"id": i, "name": i, "kind": "hotline"} for i in ids],
    }
    lists = sources_of(invented(20_000, (0.25, 0.2, 0.1), 4, 6.0), ids)
    answer = replace(protected_answer(facts=told), sources=lists)
    release = open_release(write_release(answer, tmp_path / "releases", NEW, "First."))
    build_site(release, tmp_path / "site", edition=PUBLIC, only=("estimates",))
    assert uncited(tmp_path / "site", PUBLIC.sharing.url) == ({"estimates"}, set())
    page, card = (
        (tmp_path / "site" / at / "estimates.html").read_text("utf-8")
        for at in ("en", f"r/{NEW}/en")
    )
    before = re.search(r'<section aria-labelledby="before">.*?</section>', page, re.DOTALL)
    assert before
    assert before[0] in card
    result = estimate_in(release)
    assert result is not None
    with language("en"):
        for text in (spread(result, list_names(release)), seen(result), "Identified people"):
            assert html.escape(text, quote=False).replace("'", "&#39;").rstrip(".") in card


def headings(card: Path) -> list[str]:
    return re.findall(r"<h(\d)", card.read_text("utf-8"))


def test_a_card_has_one_first_heading(tmp_path: Path) -> None:
    """Whether it holds one chart or many; no level of headings is left out."""
    release = moving_release(tmp_path)
    build_site(release, tmp_path / "site", edition=PUBLIC, languages=("en",))
    cards = [*(tmp_path / "site" / "r" / release.version / "en").rglob("*.html")]
    assert len(cards) > 20
    for card in cards:
        levels = [int(level) for level in headings(card)]
        assert levels.count(1) == 1, card
        assert levels[0] == 1, card
        assert all(b <= a + 1 for a, b in pairwise(levels)), card


def test_a_page_is_taken_from_the_site_only_where_it_would_be_drawn_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, events = made(tmp_path, NEW), tmp_path / "hub"
    events.mkdir()
    shutil.copy(PRACTICE / "events.yaml", events)
    shutil.copytree(PRACTICE / "stories", events / "stories")
    told = replace(Edition.of(events, PUBLIC.sharing.url), help=Help(text="0800 1"))
    drawn: list[str] = []
    render_ = render.render

    def noting(page: Page | WholePage, *rest: object, **more: object) -> str:
        drawn.append(page.path)
        return render_(page, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "render", noting)
    site, noted = tmp_path / "site", dict[str, list[str]]()

    def note(version: str, sha256: str) -> None:
        noted.setdefault(version, []).append(sha256)

    def count(edition: Edition, lead: Release = release, software: str = "1") -> int:
        """Pages drawn for a later site, which is the one that is drawn anew."""
        log = PageLog(site, tmp_path / "pages.json", software)
        drawn.clear()
        build_site(lead, site, None, edition, kept=CardLog(note, noted, log))
        number = len(drawn)
        build_site(lead, tmp_path / "anew", None, edition, kept=CardLog(note, noted))
        assert bytes_of(site) == bytes_of(tmp_path / "anew")
        return number

    count(told)
    whole = count(told, software="2")
    assert count(told, software="2") == 0
    line = Helpline(
        country="UKR", name="Line", kind="trafficking", number="116", checked_on=date(2026, 1, 2)
    )
    emergency = line.model_copy(update={"kind": "emergency", "number": "112"})
    others = {
        "help": Help((line, emergency)),
        "stories": told.stories[1:],
        "lead": {"en": "Own words."},
        "contact": "hub@example.org",
    }
    for name, other in others.items():
        told = replace(told, **{name: other})  # type: ignore[arg-type]
        assert 0 < count(told, software="2") < whole / 2, name
    told = replace(told, exits={"en": "https://example.org/"})
    assert count(told, software="2") > whole / 2
    with (site / "en" / "countries" / "ukr.html").open("ab") as half:
        half.write(b"<p>")
    assert 0 < count(told, software="2") < whole
    (tmp_path / "pages.json").write_text('{"en/home": [', "utf-8")
    assert count(told, software="2") > whole / 2
    noticed = withdrawn(release, "correction")
    assert count(told, noticed, software="2") > whole / 2
