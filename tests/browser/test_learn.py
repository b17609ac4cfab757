"""The course in a browser: exercises check themselves with a script, without one, by keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from ctdhub.core.i18n import language
from ctdhub.release.open import Release
from ctdhub.site.course import lessons, path
from ctdhub.site.frame import address
from ctdhub.stats.answers import Answers

from .conftest import RULES

LESSON_IDS = ("meaning", "intervals", "blanks", "safely", "signals")
PHONE = {"width": 390, "height": 844}


@pytest.fixture(params=("web", "disk"))
def base(request: pytest.FixtureRequest, site: Path) -> str:
    """Where the site begins: served, or opened as files."""
    web: str = request.getfixturevalue("web") if request.param == "web" else f"{site.as_uri()}/"
    return web


def lesson_address(name: str, code: str = "en") -> str:
    return address(code, f"learn/{name}.html")


def lesson_page(site: Path, name: str, code: str = "en") -> str:
    return (site / lesson_address(name, code)).as_uri()


def right_numbers(release: Release, name: str) -> dict[str, int]:
    """Ids of the exercises where a number is typed, and the number."""
    with language("en"):
        lesson = next(x for x in lessons(Answers(release)) if x.id == name)
    return {
        f"{name}-{k}": e.answer for k, e in enumerate(lesson.exercises, 1) if e.answer is not None
    }


def solve(quiz: Locator, numbers: dict[str, int]) -> None:
    """Go wrong first, see only that reply; then be right, and see only that one."""
    replies = quiz.locator(".reply")
    assert not any(reply.is_visible() for reply in replies.all())
    name = quiz.get_attribute("id")
    if name in numbers:
        box = quiz.locator("input")
        for number, kind in ((numbers[name] + 1, ".no"), (numbers[name], ".yes")):
            box.fill(str(number))
            box.press("Tab")
            expect(quiz.locator(kind)).to_be_visible()
            assert sum(reply.is_visible() for reply in replies.all()) == 1
        quiz.locator("summary").click()
        expect(quiz.locator("details p")).to_contain_text(f"{numbers[name]:,}")
        return
    picks = quiz.locator("input[type=radio]")
    order = sorted(picks.all(), key=lambda p: p.get_attribute("data-right") is not None)
    for pick in order:
        pick.check()
        shown = [reply for reply in replies.all() if reply.is_visible()]
        assert len(shown) == 1
        right = pick.get_attribute("data-right") is not None
        expect(shown[0]).to_contain_text("Right." if right else "Not quite.")


@pytest.mark.parametrize("name", LESSON_IDS)
def test_exercises_work_without_a_script(
    browser: Browser, site: Path, release: Release, name: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(lesson_page(site, name))
    quizzes = page.locator(".quiz").all()
    assert len(quizzes) >= 2
    for quiz in quizzes:
        solve(quiz, right_numbers(release, name))
    context.close()


@pytest.mark.parametrize("name", LESSON_IDS)
def test_a_script_says_the_reply_and_keeps_the_progress(
    tab: Page, web: str, release: Release, name: str
) -> None:
    tab.goto(web + lesson_address(name))
    done = tab.locator(".quizzes [data-lesson]")
    quizzes = tab.locator(".quiz").all()
    for solved, quiz in enumerate(quizzes):
        expect(done).to_have_text(f"Exercises solved: {solved} of {len(quizzes)}.")
        solve(quiz, right_numbers(release, name))
        expect(tab.locator("#said")).to_contain_text("Right.")
    tab.reload()
    expect(done).to_have_text(f"Exercises solved: {len(quizzes)} of {len(quizzes)}.")
    assert sum(reply.is_visible() for reply in tab.locator(".reply").all()) == len(quizzes)
    tab.locator("main nav a", has_text="All lessons").click()
    listed = tab.locator(f"[data-lesson={name}]")
    expect(listed).to_have_text(f"Exercises solved: {len(quizzes)} of {len(quizzes)}.")


def test_a_browser_that_refuses_to_keep_anything_still_checks(browser: Browser, site: Path) -> None:
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('no'); }})"
    )
    page.goto(lesson_page(site, "safely"))
    page.locator("#safely-1 [data-right]").check()
    expect(page.locator("#said")).to_contain_text("Right.")
    expect(page.locator(".quizzes [data-lesson]")).to_have_text("Exercises solved: 1 of 4.")
    assert errors == []
    context.close()


def test_progress_goes_from_page_to_page_and_to_no_other_site(
    tab: Page, base: str, web: str, release: Release
) -> None:
    """A document opened as a file may have a storage of its own, so it is taken away here."""
    tab.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new Error('no'); }})"
        if base != web
        else ""
    )
    tab.goto(base + lesson_address("safely"))
    quizzes = tab.locator(".quiz").all()
    for quiz in quizzes:
        solve(quiz, right_numbers(release, "safely"))
    told = f"Exercises solved: {len(quizzes)} of {len(quizzes)}."
    counted = tab.locator("[data-lesson=safely]")
    tab.reload()
    expect(counted).to_have_text(told)
    tab.locator("a[rel=next]").click()
    tab.locator("main nav a", has_text="All lessons").click()
    expect(counted).to_have_text(told)
    tab.locator('a[hreflang="fr"]').click()
    expect(counted).to_contain_text(f"{len(quizzes)}")
    assert tab.evaluate("window.name") == ""
    tab.locator("main a[href*=trainer]").click()
    expect(tab).to_have_url(re.compile("trainer"))
    assert tab.evaluate("window.name") == ""


@pytest.mark.parametrize(
    "other", ["a window", "course-2026.1", "course-2026.1null", 'course-2026.1"x"']
)
def test_another_name_of_the_tab_is_no_progress(tab: Page, site: Path, other: str) -> None:
    tab.evaluate("name => { window.name = name }", other)
    tab.goto(lesson_page(site, "safely"))
    done = tab.locator(".quizzes [data-lesson]")
    expect(done).to_have_text("Exercises solved: 0 of 4.")
    tab.locator("#safely-1 [data-right]").check()
    expect(done).to_have_text("Exercises solved: 1 of 4.")


def test_an_emptied_number_is_neither_right_nor_wrong(tab: Page, site: Path) -> None:
    tab.goto(lesson_page(site, "intervals"))
    box = tab.locator(".typed input").first
    for text in ("1", ""):
        box.fill(text)
        box.press("Enter")
    assert not any(reply.is_visible() for reply in tab.locator(".typed .reply").all())
    expect(tab.locator(".quizzes [data-lesson]")).to_have_text("Exercises solved: 0 of 3.")


def test_a_printed_lesson_holds_no_answers(tab: Page, site: Path) -> None:
    tab.goto(lesson_page(site, "intervals"))
    tab.locator("[data-right]").first.check()
    tab.emulate_media(media="print")
    assert not any(reply.is_visible() for reply in tab.locator(".reply").all())
    assert not any(details.is_visible() for details in tab.locator(".quiz details").all())
    tab.goto((site / address("en", "learn/trainer.html")).as_uri())
    expect(tab.locator("main")).to_contain_text("✓")


def test_by_keyboard_alone(tab: Page, site: Path) -> None:
    tab.goto(lesson_page(site, "meaning"))
    first = tab.locator("#meaning-1-1")
    for _step in range(80):
        tab.keyboard.press("Tab")
        if first.evaluate("e => e === document.activeElement"):
            break
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#meaning-1-2")).to_be_checked()
    expect(tab.locator("#said")).to_contain_text("Right.")
    outline = tab.locator("#meaning-1-2").evaluate("e => getComputedStyle(e).outlineWidth")
    assert outline == "3px"


@pytest.mark.parametrize("code", ["en", "ar"])
def test_answered_pages_are_accessible_and_fit_a_phone(
    browser: Browser, site: Path, release: Release, code: str
) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(lesson_page(site, "intervals", code))
    for quiz in page.locator(".quiz").all():
        if quiz.locator("input[type=radio]").count():
            quiz.locator("input[type=radio]").first.check()
        else:
            quiz.locator("input").fill("7")
            quiz.locator("input").press("Tab")
    page.evaluate("scrollTo(0, 0)")  # the head stays in sight and covers what is scrolled below it
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for target in page.locator(".quiz input, .quiz summary").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    context.close()


def test_lessons_lead_to_each_other(tab: Page, site: Path, release: Release) -> None:
    with language("en"):
        held = lessons(Answers(release))
    tab.goto((site / address("en", "learn/index.html")).as_uri())
    tab.locator(".course a").first.click()
    for lesson in held:
        expect(tab).to_have_url(re.compile(re.escape(path(lesson)) + "$"))
        if lesson is not held[-1]:
            tab.locator("a[rel=next]").click()
    assert tab.locator("a[rel=next]").count() == 0


def test_events_read_well_on_a_phone(browser: Browser, site: Path) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto((site / address("en", "events.html")).as_uri())
    cell = page.locator(".days td a").first
    expect(cell).to_contain_text("16 Nov")
    box = cell.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 24
    assert box["x"] + box["width"] <= PHONE["width"]
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    cell.click()
    expect(page.locator("li:target")).to_contain_text("Opening evening")
    with page.expect_download() as got:
        page.locator('a[href$="events.ics"]').click()
    assert got.value.suggested_filename == "events.ics"
    context.close()
