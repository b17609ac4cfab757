"""Scripts write numbers as Python does: one sign after the other, in every language."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser

from ctdhub.core.format import interval, number, people_words, share, signs
from ctdhub.core.i18n import LANGUAGES, _, language

PEOPLE = (0, 7, 12, 999, 1000, 5068, 9999, 10_000, 60_006, 1_234_567, 123_456_789)
SHARES = (0, 1e-7, 0.0004, 0.0005, 0.004, 0.005, 0.025, 0.123, 0.125, 0.145, 0.545, 0.9996, 1)
ENDS = ((0, 0.3), (0.0002, 0.0049), (0.0007, 0.01), (0.0715, 0.0718), (0.5449, 0.5501), (0.99, 1))
WRITE = """([code, data, people, shares, ends, spans]) => {
  document.documentElement.lang = code;
  const say = new ctdhubSay(data), both = [false, true];
  return {
    people: people.map(n => say.whole(n)),
    shares: shares.map(x => both.map(fine => say.percent(x, fine))),
    ends: ends.map(([low, high]) => both.map(fine => say._ends({low, high}, fine))),
    ranged: say.share({state: "shown", n: 0.55, low: 0.5, high: 0.6}),
    persons: spans.map(written => say.counted(written)),
    counted: say.ranged({n: 60006, low: 59990, high: 60022}),
  };
}"""


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_those_of_python(browser: Browser, code: str) -> None:
    with language(code):
        ranged = _("{people} ({low} to {high})")
        data = {"signs": signs(), "digits": "latn", "words": {"ranged": ranged}}
        low, high = interval(0.5, 0.6)
        spans = [number(n) for n in (0, 1, 2, 3, 26, 100, 1002, 1_000_000)]
        spans += [_("between {low} and {high}").format(low=0, high=n) for n in (2, 11)]
        spans += [_("at most {n}").format(n=1), ranged.format(people=100, low=90, high=111)]
        ends = [number(n) for n in (60_006, 59_990, 60_022)]
        expected: dict[str, Any] = {
            "people": [number(n) for n in PEOPLE],
            "shares": [[share(x), share(x, fine=True)] for x in SHARES],
            "ends": [[list(interval(*x)), list(interval(*x, fine=True))] for x in ENDS],
            "persons": [people_words(span) for span in spans],
            "ranged": ranged.format(people=share(0.55), low=low, high=high),
            "counted": ranged.format(people=ends[0], low=ends[1], high=ends[2]),
        }
    page = browser.new_page()
    for script in ("people.js", "say.js"):
        page.add_script_tag(
            content=(resources.files("ctdhub.site") / "static" / script).read_text()
        )
    assert page.evaluate(WRITE, [code, data, PEOPLE, SHARES, ENDS, spans]) == expected
    page.close()
