"""The list of countries says what its numbers are, in one order on the whole page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from invented_release import protected_answer

from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.site.build import build_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("countries")
    answer = protected_answer(facts={"languages": ["en", "ar"]})
    release = open_release(write_release(answer, folder / "releases", "2026.1", "First."))
    build_site(release, folder / "site", only=["places"])
    return folder / "site"


@pytest.mark.parametrize("code", ["en", "ar"])
def test_every_table_has_the_same_heads_and_they_are_seen(site: Path, code: str) -> None:
    page = (site / code / "countries" / "index.html").read_text("utf-8")
    heads = re.findall(r"<thead(.*?)>(.*?)</thead>", page, re.DOTALL)
    told = [re.findall(r"<th[^>]*>([^<]+)</th>", head) for _class, head in heads]
    assert len(told) > 1
    assert {names[-2:] == told[0][-2:] for names in told} == {True}
    assert len(told[0]) == len({*told[0]}) == 3
    assert not [attributes for attributes, _head in heads if attributes]


def test_numbers_stand_below_their_heads(site: Path) -> None:
    page = (site / "en" / "countries" / "index.html").read_text("utf-8")
    rows = re.findall(
        r'data-exploited="(\d+)" data-citizens="(\d+)".*?'
        r'<td class="n">(.*?)</td><td class="n">(.*?)<',
        page,
    )
    both = [row for row in rows if row[0] != row[1]]
    assert both
    for exploited, citizens, first, second in both:
        for n, told in ((citizens, first), (exploited, second)):
            assert n == "0" or n in re.sub(r"[^\d ]", "", told).split(), (n, told)
