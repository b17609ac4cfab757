"""Where people find help: what the hub says now, on pages, kiosk and posters."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from invented_release import protected_answer

from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import language
from ctdhub.document.document import Words
from ctdhub.hub import init
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.brief.make import make_poster
from ctdhub.report.brief.subjects import named_place
from ctdhub.report.helplines import FILE, KINDS, Contact, Help, Helpline, read_help
from ctdhub.site.edition import Edition
from ctdhub.site.pages import help as help_page
from ctdhub.site.render import render
from ctdhub.site.stories.exhibit import build_exhibit
from ctdhub.stats.answers import Answers

FROZEN, OLD = "0800 999 999 frozen", "0800 111 111 of hub.yaml"
LINE = """\
- country: CIV
  name: "Écoute <b>"
  kind: trafficking
  number: "0800 000 000"
  text: "1234"
  hours: Mo-Fr 9:00-17:00
  languages: [fr]
  free: true
  checked_on: 2026-01-31
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    answer = protected_answer(facts={"languages": ["en", "ar"], "helpline": FROZEN})
    return open_release(write_release(answer, folder, "2026.1", "First."))


def foot(release: Release, edition: Edition) -> str:
    html = render(help_page.page(), release, ("en", "ar"), edition)
    return unescape(re.sub(r"<[^>]*>", "", html.partition("<footer")[2]))


def test_the_hub_has_the_last_word(release: Release, tmp_path: Path) -> None:
    """A list, else hub.yaml; the release's own text only where there is no hub to ask."""
    assert f"Helpline: {FROZEN}" in foot(release, Edition.of(None))
    assert f"Helpline: {OLD}" in foot(release, Edition.of(tmp_path, helpline=OLD))
    silent = foot(release, Edition.of(tmp_path, helpline=""))
    assert FROZEN not in silent
    assert "For help with trafficking" not in silent
    (tmp_path / FILE).write_text(LINE, "utf-8")
    for helpline in (OLD, "", None):
        told = foot(release, Edition.of(tmp_path, helpline=helpline))
        assert "Côte d’Ivoire, Écoute <b>: 0800 000 000" in told
        assert (
            "(Monday to Friday from 09:00 to 17:00, in French, free, text message to 1234)" in told
        )
        assert "confidential" not in told, "said only where the entry says so"
        assert OLD not in told
        assert FROZEN not in told
        emergency, _label, lines = told.partition(
            "For help with trafficking or exploitation, call:"
        )
        assert "In immediate danger, call the emergency services." in emergency
        assert "0800" not in emergency
        assert "0800" in lines
    with language("ar"):
        told = foot(release, Edition.of(tmp_path))
        assert "ساحل العاج، Écoute" in told
        assert "من الاثنين إلى الجمعة من 09:00 إلى 17:00" in told


@pytest.mark.parametrize(
    ("hours", "en", "fr"),
    [
        ("24/7", "every day, day and night", "tous les jours, jour et nuit"),
        ("20:00-2:00", "every day from 20:00 to 02:00", "tous les jours de 20\u00a0h à 2\u00a0h"),
        (
            "Mo-We,Fr 08:00-12:00, 14:00-18:30; Su 10:00-24:00",
            "Monday to Wednesday and Friday from 08:00 to 12:00 and from 14:00 to 18:30; "
            "Sunday from 10:00 to 24:00",
            "du lundi au mercredi et vendredi de 8\u00a0h à 12\u00a0h et de 14\u00a0h à "
            "18\u00a0h\u00a030\u202f; dimanche de 10\u00a0h à 24\u00a0h",
        ),
        *((other, other, other) for other in ("Mo-Fr 25:00-26:00", "24/7;", "Di 9:00-17:00")),
    ],
)
def test_hours_are_said_in_the_language_of_the_page(hours: str, en: str, fr: str) -> None:
    """What is in another form is shown as it is, and only then `check` warns."""
    line = Helpline(
        country="CIV",
        name="A",
        kind="trafficking",
        number="12",
        hours=hours,
        checked_on=date(2026, 1, 31),
    )
    bare = str.maketrans("", "", "\u2068\u2069")
    for lang, text in (("en", en), ("fr", fr)):
        with language(lang):
            assert Help((line,)).contacts()[0].note.translate(bare) == text
    assert bool(Help((line,)).in_one_language()) == (hours == en)


def test_posters_take_the_first_line(release: Release, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(LINE + LINE.replace("0800 000", "0811 000"), "utf-8")
    made, subject, answers = (
        date(2026, 5, 1),
        named_place("Ukraine", is_region=False),
        Answers(release),
    )
    found = make_poster(answers, subject, made, read_help(tmp_path)).document.sections[-1]
    assert found.blocks == (Words(("0800 000 000",)),)
    assert found.title.endswith("exploitation, call Côte d’Ivoire, Écoute <b>:")
    nobody = make_poster(answers, subject, made, Help()).document.sections[-1]
    assert nobody.blocks == ()
    assert "emergency" in nobody.title
    assert make_poster(answers, subject, made).document.sections[-1].blocks == (Words((FROZEN,)),)


def test_the_kiosk_shows_the_lines_of_the_hub(release: Release, tmp_path: Path) -> None:
    stories = tmp_path / "stories"
    stories.mkdir()
    head = "---\ntitle: A title\ndate: 2026-03-01\nsummary: What it is about.\n---\n"
    (stories / "a.en.md").write_text(head + "Text.\n", "utf-8")
    (tmp_path / FILE).write_text(LINE, "utf-8")
    edition = Edition.of(tmp_path, helpline="")
    build_exhibit(release, tmp_path / "kiosk", edition.stories, edition=edition)
    page = (tmp_path / "kiosk" / "en.html").read_text("utf-8")
    assert "Écoute &lt;b&gt;: <b><bdi>0800 000 000</bdi></b>" in page
    assert "In immediate danger, call the emergency services." in page
    assert FROZEN not in page


FAULTS = {
    "country: CIV": ("country: Ivory", "country"),
    "kind: trafficking": ("kind: chat", "emergency"),
    'number: "0800 000 000"': ("number: 0700123", "between quotes"),
    'text: "1234"': ("text: '=cmd|1'", "text"),
    "hours: Mo-Fr 9:00-17:00": ("url: javascript:alert(1)", "https://"),
    "languages: [fr]": ("languages: [French]", "languages"),
    "free: true": ("toll: none", "no such key"),
    "checked_on: 2026-01-31": ("hours: always", "checked_on: this is missing"),
}


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_is_told_with_its_entry_and_key(tmp_path: Path, key: str) -> None:
    other, told = FAULTS[key]
    if key.startswith("checked"):
        other = "confidential: false"
    (tmp_path / FILE).write_text(LINE + LINE.replace(key, other), "utf-8")
    with pytest.raises(PolicyError, match=re.escape(told)) as caught:
        read_help(tmp_path)
    assert caught.value.rule == "helplines"
    assert "entry 2" in caught.value.what


@pytest.mark.parametrize(
    ("text", "rule"), [("lines: []", "helplines-list"), ("- a: [", "helplines-yaml")]
)
def test_what_is_no_list(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(PolicyError) as caught:
        read_help(tmp_path)
    assert caught.value.rule == rule


def test_a_line_without_a_way_to_reach_it(tmp_path: Path) -> None:
    bare = re.sub(r"  (number|text): .*\n", "", LINE)
    (tmp_path / FILE).write_text(bare, "utf-8")
    with pytest.raises(PolicyError, match="give a number, a text or a url"):
        read_help(tmp_path)
    (tmp_path / FILE).write_text(bare + "  url: https://help.example.org/\n", "utf-8")
    assert read_help(tmp_path).contacts()[0].reach == "https://help.example.org/"


def test_check_warns_of_no_line_and_of_old_ones(
    ctdhub: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    hub = init.new_hub(tmp_path / "hub", "A hub")
    assert read_help(hub.root) == Help(), "what init writes is an example in a comment"
    code, out, _err = ctdhub("check", hub.root)
    assert (code, "no line to call" in out) == (0, True)
    today = datetime.now(UTC).date()
    for days, warned in ((179, False), (181, True)):
        line = LINE.replace("2026-01-31", (today - timedelta(days)).isoformat())
        (hub.root / FILE).write_text(line, "utf-8")
        code, out, _err = ctdhub("check", hub.root)
        assert (code, "nobody has checked" in out) == (0, warned)
        assert "no line to call" not in out
        assert "Mo-Fr 09:00-17:00" not in out
    (hub.root / FILE).write_text(line.replace("Mo-Fr 9:00-17:00", "9 to 17"), "utf-8")
    assert "Write them as 24/7 or Mo-Fr 09:00-17:00" in " ".join(
        ctdhub("check", hub.root)[1].split()
    )
    (hub.root / FILE).write_text("lines: []", "utf-8")
    assert ctdhub("check", hub.root)[0] == 2


def test_what_init_shows_and_the_practice_hub_has_can_be_read(tmp_path: Path) -> None:
    example, invented = map(init._shipped, ("helplines.yaml", "practice_helplines.yaml"))
    example = example.replace("# -", "-").replace("#   ", "  ").replace("…", "0800 000")
    (tmp_path / FILE).write_text(example, "utf-8")
    assert [line.kind for line in read_help(tmp_path).lines] == ["trafficking"]
    today = datetime.now(UTC).date()
    (tmp_path / FILE).write_text(invented.format(today=today), "utf-8")
    lines = read_help(tmp_path).lines
    assert all(line.name.startswith("Fictitious") for line in lines)
    assert not Help(lines).unchecked()
    assert Help(lines, OLD).contacts()[0] == Contact(
        "United Kingdom, Fictitious Helpline",
        "+44 808 157 0142",
        "Monday to Friday from 09:00 to 17:00, in English, free, confidential",
        "tel:+448081570142",
    )


def test_a_hub_with_emergency_numbers_alone_prints_its_helpline() -> None:
    line = Helpline(
        country="CIV", name="A", kind="emergency", number="12", checked_on=date(2026, 1, 31)
    )
    assert [c.reach for c in Help((line,), OLD).contacts("CIV")] == [OLD]
    assert Help((line,), OLD).contacts("CIV", only=True) == ()
    other = line.model_copy(update={"kind": "trafficking"})
    assert len(Help((line, other), OLD).contacts("CIV")) == 1
    assert OLD not in [c.reach for c in Help((line, other), OLD).contacts("CIV")]


def test_every_key_is_described() -> None:
    reference = Path(__file__).parents[2] / "docs/reference/hub-folder.md"
    text = reference.read_text("utf-8").partition("## Helplines")[2]
    assert not {key for key in (*Helpline.model_fields, *KINDS) if f"`{key}`" not in text}
