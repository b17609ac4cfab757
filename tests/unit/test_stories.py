"""Stories: only safe text and released numbers reach a page; faults name their line."""

from __future__ import annotations

import csv
import gzip
import html
import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_release import TABLES, people_rows, protected_answer
from markupsafe import Markup, escape
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError, StoryError
from ctdhub.core.format import interval, number, share
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.site.build import build_site
from ctdhub.site.edition import Edition
from ctdhub.site.frame import address
from ctdhub.site.stories.exhibit import LONGEST, MARK, build_exhibit
from ctdhub.site.stories.page import StoryChart, blocks, chart, say, story_figures
from ctdhub.site.stories.source import Story, read_stories
from ctdhub.stats.answers import Answers
from ctdhub.stats.tables import flag_group

HEAD = "---\ntitle: A title\nsummary: A summary.\ndate: 2026-03-01\n---\n"
FIRST_LINE = HEAD.count("\n") + 1
PRACTICE = Path(str(resources.files("ctdhub.practice") / "stories"))
ONLY = ("home", "stories")
"""Kinds of page that show stories."""
VERSION = "2026.1"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    answer = protected_answer(facts={"languages": list(LANGUAGES)})
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(write_release(answer, folder, VERSION, "First."))


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The same in English alone, for tests that are not about languages."""
    folder = tmp_path_factory.mktemp("english") / "releases"
    return open_release(write_release(protected_answer(), folder, VERSION, "First."))


@pytest.fixture(scope="module")
def answers(release: Release) -> Answers:
    return Answers(release)


@pytest.fixture(autouse=True)
def _english():
    with language("en"):
        yield


def written(folder: Path, body: str, name: str = "a.en.md", head: str = HEAD) -> tuple[Story, ...]:
    (folder / name).write_text(head + body, "utf-8")
    return read_stories(folder)


def shown(folder: Path, body: str, answers: Answers) -> str:
    """The text of a story as HTML, in the language in force."""
    (story,) = written(folder, body)
    found = blocks(story.text("en"), "a", answers, {"methods.html"}.__contains__, "../".__add__)
    return "".join(block for block in found if isinstance(block, Markup))


# -- safety of the text

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onclick=alert(1)>b</b> <!-- c -->",
    "=cmd|' /C calc'!A0",
    "`<script>` and \\<script\\>",
    "&lt;script&gt; &#60;script&#62;",
    "<div>\n<script>\nalert(1)\n</script>\n</div>",
    "```html\n<script>alert(1)</script>\n```",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_html_in_a_story_is_text(text: str, tmp_path: Path, answers: Answers) -> None:
    found = shown(tmp_path, text, answers)
    assert set(re.findall(r"</?([a-z0-9]+)", found)) <= {"p", "code", "pre"}
    assert not re.search(r"<[^>]*\son", found)


@given(st.text(st.sampled_from("<>&\"'`*_[]()!#\\\n -+=:abjs1"), max_size=80))
def test_no_text_makes_a_tag_that_is_not_markdown(
    tmp_path_factory: pytest.TempPathFactory, answers: Answers, text: str
) -> None:
    try:
        found = shown(tmp_path_factory.mktemp("s"), text, answers)
    except StoryError:
        return
    tags = set(re.findall(r"<(/?[a-z0-9]+)([^>]*)>", found))
    allowed = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "hr", "br", "blockquote"}
    assert {name.strip("/") for name, _ in tags} <= allowed | {f"h{n}" for n in range(2, 7)} | {"a"}
    for name, attributes in tags:
        assert re.fullmatch(r'( (class="language-[^"<>]*"|start="\d+"))? ?/?', attributes) or (
            name == "a" and re.match(r' href="(https?://|\.\./methods\.html)', attributes)
        )


@pytest.mark.parametrize(
    "link",
    [
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert)",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "[a](vbscript:x)",
        "[a](file:///etc/passwd)",
        "[a](//evil.example)",
        "[a](\\\\evil.example)",
        "[a](ftp://evil.example)",
        "[a](../../../records.csv)",
        "[a](no-such-page.html)",
        "[a][b]\n\n[b]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "<mailto:a@b.example>",
    ],
)
def test_links_lead_to_pages_or_the_web(link: str, tmp_path: Path, answers: Answers) -> None:
    with pytest.raises(StoryError) as caught:
        shown(tmp_path, f"One.\n\nTwo\nthree {link}", answers)
    assert (caught.value.rule, caught.value.file) == ("story-link", "a.en.md")
    assert caught.value.line == FIRST_LINE + 3
    assert caught.value.fix


def test_good_links_are_kept(tmp_path: Path, answers: Answers) -> None:
    found = shown(tmp_path, "[m](methods.html#odds) [w](https://example.org/a?b=1&c)", answers)
    assert '<a href="../methods.html#odds">m</a>' in found
    assert '<a href="https://example.org/a?b=1&amp;c" rel="noreferrer">w</a>' in found


def test_pictures_are_refused(tmp_path: Path, answers: Answers) -> None:
    with pytest.raises(StoryError) as caught:
        shown(tmp_path, "![x](https://example.org/x.png)", answers)
    assert caught.value.rule == "story-picture"


@pytest.mark.parametrize("character", "\u202e\u202d\u2066\x00\x1b\u061c")
def test_characters_that_turn_text_around_are_refused(character: str, tmp_path: Path) -> None:
    with pytest.raises(StoryError) as caught:
        written(tmp_path, f"one\ntwo{character}txt")
    assert (caught.value.rule, caught.value.line) == ("story-character", FIRST_LINE + 1)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace("A title", "T" * 5000),
        HEAD.replace("A summary.", "S" * 5000),
        HEAD.replace("date: 2026-03-01", "date: soon"),
        HEAD.replace("date: 2026-03-01\n", ""),
        HEAD.replace("date:", "style: x\ndate:"),
        HEAD.replace("A title", "[1, 2"),
        HEAD.replace("A title", "!!python/object/apply:os.system [ls]"),
        HEAD.replace("A title", "[" * 3000),
        "no settings",
        "---\ntitle: never closed\n",
        "",
    ],
)
def test_wrong_first_lines_are_told(head: str, tmp_path: Path) -> None:
    with pytest.raises(StoryError) as caught:
        written(tmp_path, "Text.", head=head)
    assert caught.value.rule in {"story-head", "story-date"}
    assert caught.value.line == 1
    assert "TTTTT" not in str(caught.value)


@pytest.mark.parametrize("name", ["A.en.md", "a.de.md", "a.md", "index.en.md", "a b.en.md"])
def test_wrong_names_are_told(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(HEAD, "utf-8")
    with pytest.raises(StoryError) as caught:
        read_stories(tmp_path)
    assert caught.value.rule == "story-name"


def test_files_that_are_too_large_or_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.en.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoryError, match="UTF-8"):
        read_stories(tmp_path)
    (tmp_path / "a.en.md").write_text(HEAD + "x" * 100_000)
    with pytest.raises(StoryError) as caught:
        read_stories(tmp_path)
    assert caught.value.rule == "story-size"


def test_a_link_to_a_file_outside_is_no_story(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(HEAD + "case record")
    folder = tmp_path / "stories"
    folder.mkdir()
    (folder / "a.en.md").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(StoryError):
        read_stories(folder)


def test_hostile_settings_are_escaped(english: Release, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'>="
    head = HEAD.replace("A title", f"'{evil.replace(chr(39), chr(39) * 2)}'")
    stories = written(tmp_path, "Text.", head=head)
    build_site(english, tmp_path / "site", edition=Edition(stories=stories), only=ONLY)
    build_exhibit(english, tmp_path / "kiosk", stories)
    pages = (address("en", path) for path in ("index.html", "stories/a.html"))
    for file in (*(tmp_path / "site" / page for page in pages), tmp_path / "kiosk/en.html"):
        text = file.read_text("utf-8")
        assert "<script>alert" not in text
        assert str(escape(evil)) in text


# -- numbers


def test_numbers_are_those_of_the_release(answers: Answers) -> None:
    for text, asked in (
        ("people", {}),
        ("people gender=female", {"gender": ["female"]}),
        ("people citizenship=europe", {"citizenship": countries.members("europe")}),
        (
            "people citizenship=UKR,MDA gender=female",
            {"citizenship": ["UKR", "MDA"], "gender": ["female"]},
        ),
        ("people gender=not_recorded", {"gender": [""]}),
    ):
        found = answers.count(asked)
        words = f"{number(found.value)} people ({number(found.low)} to {number(found.high)})"
        assert say(text, answers) == words


def test_shares_are_of_those_recorded(answers: Answers) -> None:
    genders = answers.domain("gender")
    for text, part, whole in (
        ("share gender=female", {"gender": ["female"]}, {"gender": genders}),
        (
            "share gender=female of citizenship=UKR",
            {"gender": ["female"], "citizenship": ["UKR"]},
            {"gender": genders, "citizenship": ["UKR"]},
        ),
        ("share gender=not_recorded", {"gender": [""]}, {}),
        ("share any_means=yes", {"any_means": ["yes"]}, {}),
    ):
        found = answers.share(part, whole)
        low, high = interval(found.low, found.high, fine=True)
        fine = f"{share(found.value, fine=True)} ({low} to {high})"
        low, high = interval(found.low, found.high)
        assert say(text, answers) in {fine, f"{share(found.value)} ({low} to {high})"}
    row = flag_group(answers, "exploitation").rows[0]
    said = say(f"share {row.codes[0]}=yes", answers)
    assert said.startswith(share(row.share.value, fine="." in said.split("%")[0]))


def test_what_is_not_shown_is_said_in_words(answers: Answers) -> None:
    few = say("people citizenship=FJI", answers)
    assert few == "a number of people below the reporting threshold"
    assert say("share citizenship=FJI", answers) == "a share below the reporting threshold"
    unmeasured = say("people age_band=0-8 abduction=yes", answers)
    assert unmeasured == "a number of people that this release did not measure"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "story-number"),
        ("persons", "story-number"),
        ("people gender", "story-number"),
        ("people gender=female of citizenship=UKR", "story-number"),
        ("people gender=female gender=male", "story-number"),
        ("share", "story-number"),
        ("share of gender=female", "story-number"),
        ("share gender=female of gender=male", "story-number"),
        ("people sex=female", "story-variable"),
        ("people person=3", "story-variable"),
        ("people gender=woman", "story-value"),
        ("people gender=europe", "story-value"),
        ("people citizenship=atlantis", "story-value"),
        ("share exploitation_sexual=not_recorded", "story-blank"),
    ],
)
def test_wrong_numbers_name_line_and_remedy(
    text: str, rule: str, tmp_path: Path, answers: Answers
) -> None:
    with pytest.raises(StoryError) as caught:
        shown(tmp_path, f"One.\n\n- two\n  *three {{{{{text}}}}}*", answers)
    assert (caught.value.rule, caught.value.file) == (rule, "a.en.md")
    assert caught.value.line == FIRST_LINE + 3
    assert caught.value.fix
    assert f"line {FIRST_LINE + 3}" in str(caught.value)


def test_open_braces_are_told_and_code_may_hold_them(tmp_path: Path, answers: Answers) -> None:
    with pytest.raises(StoryError, match="not closed"):
        shown(tmp_path, "of {{people", answers)
    assert "<code>{{people}}</code>" in shown(tmp_path, "`{{people}}`", answers)


# -- charts


def charted(block: str) -> str:
    return f"Before.\n\n```chart\n{block}\n```\n\nAfter.\n"


@pytest.mark.parametrize(
    ("block", "rule"),
    [
        ("", "story-chart"),
        ("gender", "story-chart"),
        ("of: [", "story-chart"),
        ("of: gender\nbars: 3", "story-chart"),
        ("of: gender\namong: [CIV]", "story-chart"),
        ("of: gender\namong: {1: [CIV]}", "story-chart"),
        ("of: gender\namong: {gender: female}", "story-chart"),
        ("of: corridors\namong: {gender: [female]}", "story-chart"),
        ("of: corridors\nmost: 0", "story-chart"),
        ("of: corridors\nmost: true", "story-chart"),
        ("of: sex_of_person", "story-variable"),
        ("of: gender\namong: {nation: [CIV]}", "story-variable"),
        ("of: gender\namong: {citizenship: [XXX]}", "story-value"),
        ("of: abduction", "story-measured"),
        ("of: means\namong: {age_band: ['0-8'], gender: [female]}", "story-measured"),
    ],
)
def test_wrong_charts_name_line_and_remedy(
    block: str, rule: str, tmp_path: Path, answers: Answers
) -> None:
    with pytest.raises(StoryError) as caught:
        shown(tmp_path, charted(block), answers)
    assert (caught.value.rule, caught.value.line) == (rule, FIRST_LINE + 2)
    assert caught.value.fix


def test_a_chart_stands_at_the_edge(tmp_path: Path, answers: Answers) -> None:
    with pytest.raises(StoryError, match="inside a list"):
        shown(tmp_path, "- ```chart\n  of: gender\n  ```\n", answers)


def test_charts_hold_the_counts_and_say_among_whom(tmp_path: Path, answers: Answers) -> None:
    body = charted("of: gender\namong: {citizenship: [UKR, africa]}") + charted(
        "of: citizenship\nmost: 2"
    )
    (story,) = written(tmp_path, body)
    found = list(blocks(story.text("en"), "a", answers))
    assert [type(b) for b in found] == [Markup, StoryChart, Markup, StoryChart, Markup]
    first, second = (b.figure for b in found if isinstance(b, StoryChart))
    assert first.caption.startswith("Citizenship: Ukraine and Africa. ")
    inside = ["UKR", *countries.members("africa")]
    for row in first.table.rows[:2]:
        asked = answers.count({"gender": list(row.codes), "citizenship": inside})
        assert row.people.value == asked.value
    assert [row.codes[0] for row in second.table.rows] == ["UKR", "MDA", ""]
    assert "at most 2 are shown" in second.note
    assert (first.id, second.file) == ("a-1", "stories/a-2")


# -- languages and pages


def test_a_language_without_a_text_shows_english_marked_as_such(
    release: Release, tmp_path: Path
) -> None:
    head = "---\ntitle: Un titre\nsummary: Un résumé.\n---\n"
    (tmp_path / "a.fr.md").write_text(head + "Texte de {{people}}.", "utf-8")
    stories = written(tmp_path, charted("of: gender") + "Text of {{people}}.")
    build_site(release, tmp_path / "site", edition=Edition(stories=stories), only=ONLY)
    pages = {
        code: (tmp_path / "site" / address(code, "stories/a.html")).read_text("utf-8")
        for code in LANGUAGES
    }
    assert "<h1>A title</h1>" in pages["en"]
    assert "<h1>Un titre</h1>" in pages["fr"]
    for code in ("es", "ar"):
        assert '<h1 lang="en" dir="ltr">A title</h1>' in pages[code]
        assert '<div class="told" lang="en" dir="ltr">' in pages[code]
        assert "4,000 people (3,992 to 4,008)" in pages[code]
    for page in (pages["en"], pages["fr"]):
        told = re.sub(r"<pre.*?</pre>|<figure.*?</figure>", "", page, flags=re.DOTALL)
        assert 'dir="ltr">' not in told.split("<main")[1]


def test_a_story_needs_english_and_one_date(tmp_path: Path) -> None:
    with pytest.raises(StoryError, match="no English"):
        written(tmp_path, "Texte.", "a.fr.md")
    written(tmp_path, "Text.")
    with pytest.raises(StoryError, match="date"):
        written(tmp_path, "Texte.", "a.fr.md", HEAD.replace("2026-03-01", "2026-03-02"))


def test_newest_story_comes_first_and_the_home_page_leads_to_it(
    english: Release, tmp_path: Path
) -> None:
    written(tmp_path, "Old.", "old.en.md", HEAD.replace("2026", "2025"))
    stories = written(tmp_path, "New.", "new.en.md")
    assert [story.slug for story in stories] == ["new", "old"]
    build_site(english, tmp_path / "site", edition=Edition(stories=stories), only=ONLY)
    home = (tmp_path / "site" / address("en")).read_text("utf-8")
    assert 'href="stories/new.html"' in home
    assert "stories/old.html" not in home


@pytest.mark.usefixtures("few_pages")
def test_a_release_alone_has_no_stories(english: Release, tmp_path: Path) -> None:
    build_site(english, tmp_path / "site")
    folder = tmp_path / "site" / "en"
    assert not (tmp_path / "site/en/stories").exists()
    assert "stories/" not in (folder / "index.html").read_text("utf-8")
    with pytest.raises(HubError) as caught:
        build_exhibit(english, tmp_path / "kiosk", ())
    assert caught.value.rule == "no-stories"
    assert read_stories(tmp_path / "nowhere") == ()


def test_practice_stories_are_told_in_every_language(release: Release, tmp_path: Path) -> None:
    stories = read_stories(PRACTICE)
    assert len(stories) == 3
    for story in stories:
        assert set(story.tellings) == set(LANGUAGES)
        charts = {telling.body.count("```chart") for telling in story.tellings.values()}
        live = {telling.body.count("{{") for telling in story.tellings.values()}
        assert len(charts) == len(live) == 1
    build_site(release, tmp_path / "site", edition=Edition(stories=stories), only=ONLY)
    root = tmp_path / "site"
    for code in LANGUAGES:
        for page in (root / code / "stories").glob("*.html"):
            assert len(gzip.compress(page.read_bytes())) <= 100_000
    for figure in story_figures(Answers(release), stories):
        with (root / "charts" / f"{figure.file}.csv").open(encoding="utf-8", newline="") as file:
            people = [row["people"] for row in csv.DictReader(file)]
        wanted = [row.people.value for row in figure.table.rows]
        assert people == ["" if v is None else str(round(v)) for v in wanted]


def test_translations_have_the_same_charts(release: Release, tmp_path: Path) -> None:
    written(tmp_path, charted("of: gender"))
    head = HEAD.replace("date: 2026-03-01\n", "")
    stories = written(tmp_path, charted("of: means"), "a.fr.md", head)
    with pytest.raises(StoryError) as caught:
        build_site(release, tmp_path / "site", edition=Edition(stories=stories), only=ONLY)
    assert (caught.value.rule, caught.value.file) == ("story-translation", "a.fr.md")
    assert caught.value.line == FIRST_LINE + 1
    assert not (tmp_path / "site").exists()


# -- the kiosk


def test_the_kiosk_has_no_way_out_and_no_stranger(release: Release, tmp_path: Path) -> None:
    build_exhibit(release, tmp_path / "kiosk", read_stories(PRACTICE))
    files = {file.name for file in (tmp_path / "kiosk").iterdir()}
    assert files == {"index.html", MARK, *(f"{code}.html" for code in LANGUAGES)}
    for code in LANGUAGES:
        text = (tmp_path / "kiosk" / f"{code}.html").read_text("utf-8")
        marked = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
        hrefs = set(re.findall(r'href="([^"]*)"', marked))
        assert hrefs == {"data:,", *(f"{other}.html" for other in LANGUAGES)}
        assert not re.search(r"https?://|src=|url\(", html.unescape(text))
        assert len(gzip.compress(text.encode())) <= 100_000


@pytest.mark.usefixtures("few_pages")
def test_the_kiosk_replaces_a_kiosk_and_nothing_else(english: Release, tmp_path: Path) -> None:
    stories = read_stories(PRACTICE)
    build_site(english, tmp_path / "site")
    with pytest.raises(HubError):
        build_exhibit(english, tmp_path / "site", stories)
    assert (tmp_path / "site" / "r").is_dir()
    build_exhibit(english, tmp_path / "kiosk", stories)
    (tmp_path / ".writing-kiosk-a_killed").mkdir()
    build_exhibit(english, tmp_path / "kiosk", stories, idle=30)
    assert '"idle":30' in (tmp_path / "kiosk" / "en.html").read_text("utf-8")
    with pytest.raises(HubError):
        build_site(english, tmp_path / "kiosk")
    assert {f.name for f in tmp_path.iterdir()} == {"site", "kiosk"}


def test_a_text_too_long_for_a_screen_is_told(release: Release, tmp_path: Path) -> None:
    stories = written(tmp_path, "x " * LONGEST + "\n\n```chart\nof: gender\n```\n")
    with pytest.raises(StoryError) as caught:
        build_exhibit(release, tmp_path / "kiosk", stories)
    assert (caught.value.rule, caught.value.line) == ("story-screen", FIRST_LINE + 2)
    assert not (tmp_path / "kiosk").exists()


def test_command_tells_the_stories_of_a_hub(english: Release, tmp_path: Path) -> None:
    app = command("site")
    hub = tmp_path / "hub"
    (hub / "stories").mkdir(parents=True)
    (hub / "releases").symlink_to(english.path.parent)
    written(hub / "stories", "Text of {{people}}.")
    for arguments in ([], ["--exhibit", "--idle", "45"]):
        given = CliRunner().invoke(app, ["site", str(hub), *arguments])
        assert given.exit_code == 0, given.output
    page = hub / "site/en/stories/a.html"
    assert "Text of 4,000 people" in page.read_text("utf-8")
    assert '"idle":45' in (hub / "exhibit" / "en.html").read_text("utf-8")
    written(hub / "stories", "Text of {{people sex=female}}.")
    wrong = CliRunner().invoke(app, ["site", str(hub)])
    assert isinstance(wrong.exception, StoryError)
    assert "4,000 people" in page.read_text("utf-8")


def test_links_in_a_slide_are_mere_text(release: Release, tmp_path: Path) -> None:
    body = "A [method](methods.html) *here*.\n\n```chart\nof: gender\n```\n"
    build_exhibit(release, tmp_path / "kiosk", written(tmp_path, body))
    text = (tmp_path / "kiosk" / "en.html").read_text("utf-8")
    assert "A method <em>here</em>." in text


def test_a_share_of_those_without_a_flag_lies_inside_its_base(tmp_path: Path) -> None:
    flag, indicator = "means_threats", "any_means"
    rows = people_rows()
    for row in rows:
        row.update({name: row[name] or "no" for name in (flag, indicator)})
    answer = protected_answer(rows, tables=(*TABLES, f"{flag}*{indicator}"))
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    answers = Answers(release)
    part, whole = {flag: ["no"], indicator: ["yes"]}, {indicator: ["yes"]}
    expected = answers.share(part, whole).value
    with language("en"):
        said = say(f"share {flag}=no", answers)
        assert expected is not None
        assert said.startswith(f"{100 * expected:.0f}%") or said.startswith(
            f"{100 * expected:.1f}%"
        )
        with pytest.raises(HubError) as caught:
            say(f"share {flag}=yes of {indicator}=no", answers)
    assert caught.value.rule == "story-number"


def test_nested_lists_are_refused_before_they_are_written_out(release: Release) -> None:
    levels = [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    block = "\n".join(["of: gender", "among:", "  a0: &a0 [x]", *levels])
    with language("en"), pytest.raises(HubError) as caught:
        chart(block, "figure", Answers(release))
    assert caught.value.rule == "story-chart"
