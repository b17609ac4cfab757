"""What a release keeps on a site: drawn once, the same in every later site but for its slots."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from invented_release import TABLES, protected_answer

from ctdhub.core.errors import HubError
from ctdhub.core.files import WRITING
from ctdhub.core.i18n import language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.figures import figures, sides
from ctdhub.report.helplines import Help
from ctdhub.site import cards, render
from ctdhub.site.build import build_site
from ctdhub.site.cards import Kept, archive, emptied, faults
from ctdhub.site.edition import PLAIN, Content, Edition, PageKind
from ctdhub.site.frame import Sharing, card_address, cited
from ctdhub.site.render import PAGES, Paths
from ctdhub.stats.answers import Answers

PRACTICE = Path(str(resources.files("ctdhub.practice")))
OLD, NEW = "2025.1", "2026.1"
UKRAINE = "places/ukr.html"


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
        self.noted: dict[str, str] = {}
        self.drawn: list[str] = []
        draw = cards.draw

        def noting(answers: Answers, *rest: object, **more: object) -> None:
            self.drawn.append(answers.release.version)
            draw(answers, *rest, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(cards, "draw", noting)

    def site(self, lead: Release, *others: Release, edition: Edition = PLAIN) -> Path:
        kept = Kept(self.noted.__setitem__, dict(self.noted))
        build_site(lead, self.root / "site", None, edition, others, kept=kept)
        return self.root / "site"


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
    told = Edition(help=Help(text="0800 1"))
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
    assert first.keys() == second.keys()
    changed = {name for name, content in first.items() if second[name] != content}
    assert changed == {name for name in first if name.startswith("en/")}
    assert {n: emptied(c) for n, c in first.items()} == {n: emptied(c) for n, c in second.items()}
    card = second[f"en/{UKRAINE}"].decode()
    assert "0800 1" in card
    assert "Release 2025.1 is not the newest" in card
    assert 'href="../../../../en/countries/ukr.html"' in card, "a reader comes on from there"
    assert numbers(card) == numbers(first[f"en/{UKRAINE}"].decode())
    assert len(numbers(card)) > 20
    assert "<script" not in card


def test_a_card_leads_to_a_page_that_exists(hub: Hub) -> None:
    """The newest release may no longer show a country, or speak a language, that an old one did."""
    arabic = made(hub.root / "arabic", OLD, languages=["en", "ar"])
    answer = protected_answer(tables=TABLES[:3], facts={"languages": ["en"]})
    small = open_release(write_release(answer, hub.root / "small" / "releases", NEW, "Few."))
    build_site(small, hub.root / "out", earlier=[arabic])
    for code in ("en", "ar"):
        card = hub.root / "out" / card_address(code, OLD, UKRAINE)
        targets = re.findall(r'href="(\.\./[^"#]*)', card.read_text("utf-8"))
        assert targets
        assert all((card.parent / target).is_file() for target in targets), targets


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
    assert not [*faults(hub.old.path, hub.noted[OLD], site)]
    card = site / "en" / UKRAINE
    text = card.read_text("utf-8")
    card.write_text(text.replace("<!--status:", "New words.<!--status:"), "utf-8")
    assert [f.file for f in faults(hub.old.path, hub.noted[OLD], site)] == [f"r/{OLD}/en/{UKRAINE}"]
    card.write_text(text.replace("is not the newest", "is very old"), "utf-8")
    assert not [*faults(hub.old.path, hub.noted[OLD], site)], "only what a slot holds"
    file = archive(hub.old.path)
    file.write_bytes(file.read_bytes().replace(b"en/gender.html", b"en/gander.html"))
    assert [f.file for f in faults(hub.old.path, hub.noted[OLD], site)] == [file.name]
    with pytest.raises(HubError) as caught:
        hub.site(hub.new, hub.old)
    assert caught.value.rule == "cards-changed"


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
    told = Edition(help=Help(text="0800 1"), contact="a@b.example", lead={"en": "Words."})
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
