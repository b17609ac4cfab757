"""Events: what is written is what calendars read; faults are named; hostile text stays text."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_site_page import EVIL, EXIT, Page

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.open import Release
from ctdhub.report.calendar import (
    FILE,
    KINDS,
    Calendar,
    Event,
    calendar_file,
    fold,
    read_calendar,
    text,
)
from ctdhub.site.build import build_site, offered
from ctdhub.site.edition import Edition
from ctdhub.site.frame import address
from ctdhub.site.pages import events
from ctdhub.site.render import render

PRACTICE = (resources.files("ctdhub.practice") / "events.yaml").read_text("utf-8")
TODAY = date(2026, 11, 25)
ONE = {"id": "one", "title": "A film", "kind": "film", "place": "A hall", "start": "2027-03-08"}


def written(folder: Path, *entries: dict[str, Any], **top: Any) -> Path:
    """A folder with these entries in its events.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    held = yaml.safe_dump({**top, "events": list(entries)}, allow_unicode=True)
    (folder / FILE).write_text(held, "utf-8")
    return folder


def calendar(folder: Path, *entries: dict[str, Any]) -> Calendar:
    found = read_calendar(written(folder, *entries), TODAY)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def release(plain_release: Release) -> Release:
    return plain_release


@pytest.fixture(scope="module")
def site(plain_site: Path) -> Path:
    """The site of a hub with the practice events."""
    return plain_site


def english(release: Release, found: Calendar) -> Page:
    with language("en"):
        return Page(render(events.page(release, found), release, ["en"]))


def test_practice_events_say_that_they_are_invented(site: Path) -> None:
    held = yaml.safe_load(PRACTICE)["events"]
    assert len(held) == 19
    assert len({e["region"] for e in held if "region" in e}) == 8
    text_ = (site / address("en", "events.html")).read_text("utf-8")
    assert "19 events from" in text_
    assert "These events are fictitious" in text_
    feed = icalendar.Calendar.from_ical((site / "events.ics").read_bytes())
    assert all("invented" in str(e["DESCRIPTION"]) for e in feed.walk("VEVENT"))


def test_files_hold_what_the_hub_wrote(site: Path) -> None:
    held = {e["id"]: e for e in yaml.safe_load(PRACTICE)["events"]}
    folder = site
    data = json.loads((folder / "events.json").read_text("utf-8"))
    assert {e["id"]: e["title"] for e in data["events"]} == {k: e["title"] for k, e in held.items()}
    feed = icalendar.Calendar.from_ical((folder / "events.ics").read_bytes())
    found = {str(e["UID"]): e for e in feed.walk("VEVENT")}
    for event in data["events"]:
        single = icalendar.Calendar.from_ical((folder / f"events/{event['id']}.ics").read_bytes())
        assert str(single.walk("VEVENT")[0]["UID"]) == event["uid"]
        assert str(found[event["uid"]]["SUMMARY"]) == held[event["id"]]["title"]
    assert not list((site / "r").rglob("events*")), "they belong to no release"


def test_page_in_every_language_leads_only_to_what_exists(site: Path, release: Release) -> None:
    for code in offered(release):
        file = site / address(code, "events.html")
        page = Page(file.read_text("utf-8"))
        assert len(gzip.compress(file.read_bytes())) <= 100_000
        ids = [a["id"] for _, a in page.tags if "id" in a]
        assert len(ids) == len(set(ids))
        for attributes in page.all("a"):
            href = attributes["href"]
            if href.startswith("#"):
                assert href[1:] in ids, href
            elif href.startswith("https:"):
                assert EXIT.fullmatch(href) or attributes["rel"] == "external noreferrer"
            else:
                assert (file.parent / href.partition("#")[0]).is_file(), href
        assert not any(n.startswith("on") or n == "style" for _, a in page.tags for n in a)


def test_without_events_there_is_neither_page_nor_entry(release: Release, tmp_path: Path) -> None:
    assert read_calendar(tmp_path) is None
    edition = Edition.of(written(tmp_path / "hub"))
    build_site(release, tmp_path / "site", edition=edition, languages=["en"])
    first = (tmp_path / "site" / address("en")).read_text("utf-8")
    assert "events.html" not in first
    assert "learn/index.html" in first
    assert not list((tmp_path / "site").rglob("events*"))


def test_coming_and_past_are_told_apart_by_the_day(release: Release, tmp_path: Path) -> None:
    lasting = {**ONE, "id": "lasting", "start": "2026-11-20", "end": "2026-11-25"}
    over = {**ONE, "id": "over", "start": "2026-11-20", "end": "2026-11-24"}
    night = {**ONE, "id": "night", "start": "2026-11-24 20:00", "end": "2026-11-25 00:00"}
    page = english(release, calendar(tmp_path, lasting, over, night))
    coming, past = page.text.split('<h2 id="past">')
    assert 'id="e-lasting"' in coming
    assert 'id="e-over"' in past
    assert 'id="e-night"' in past
    assert "Wednesday, 25 November 2026" in coming


def test_overview_counts_events_by_region_and_day(release: Release, tmp_path: Path) -> None:
    a = {**ONE, "id": "a", "region": "North", "start": "2027-03-08", "end": "2027-03-09"}
    b = {**ONE, "id": "b", "region": "North", "start": "2027-03-09 18:00"}
    c = {**ONE, "id": "c", "start": "2027-03-10"}
    page = english(release, calendar(tmp_path, a, b, c))
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page.text)
    counts = {
        re.sub("<.*?>", "", name): [
            re.sub("<.*?>", "", re.sub('<span class="day">.*?</span>', "", cell)).strip()
            for cell in re.findall("<td>(.*?)</td>", cells)
        ]
        for name, cells in rows
    }
    assert counts == {"North": ["2", "1", "2", ""], "Elsewhere or online": ["1", "", "", "1"]}


def test_a_long_calendar_is_shown_by_month(release: Release, tmp_path: Path) -> None:
    far = {**ONE, "id": "far", "start": "2027-09-01"}
    page = english(release, calendar(tmp_path, ONE, far))
    heads = re.findall(r'<th scope="col">(.*?)</th>', page.text)
    assert heads[2:] == [f"{m} 2027" for m in ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept"]]


@pytest.mark.parametrize(
    ("change", "key", "rule", "remedy"),
    [
        ({"kind": "party"}, "kind", "events-literal-error", "one of talk, film"),
        ({"end": "2027-03-07"}, "end", "events-end", "must not come before the start"),
        ({"end": "2027-03-08 10:00"}, "end", "events-same-form", "both be days, or both"),
        ({"url": "http://example.org"}, "url", "events-url", "https://"),
        ({"url": "https://example.org/\u202e"}, "url", "events-url", "https://"),
        ({"url": "https://example.org/\r\nX:1"}, "url", "events-url", "https://"),
        ({"title": ""}, "title", "events-missing", "missing"),
        ({"title": " \n "}, "title", "events-missing", "missing"),
        ({"title": None}, "title", "events-string-type", "wrong kind"),
        ({"place": ""}, "place", "events-missing", "missing"),
        ({"id": "../up"}, "id", "events-string-pattern-mismatch", "small letters"),
        ({"start": "tomorrow"}, "start", "events-value-error", "2027-03-08 18:30"),
        ({"start": "0999-01-01"}, "start", "events-value-error", "2027-03-08 18:30"),
        ({"start": 20270308}, "start", "events-value-error", "2027-03-08 18:30"),
        ({"time_zone": "Mars/Base"}, "time_zone", "events-time-zone", "Europe/Zurich"),
        ({"languages": ["klingon"]}, "languages", "events-languages", "fr or es"),
        ({"colour": "red"}, "colour", "events-extra-forbidden", "no such key"),
    ],
)
def test_faults_name_entry_key_rule_and_remedy(
    tmp_path: Path, change: dict[str, Any], key: str, rule: str, remedy: str
) -> None:
    good = {**ONE, "id": "good"}
    with language("en"), pytest.raises(HubError) as caught:
        read_calendar(written(tmp_path, good, {**ONE, **change}))
    error = caught.value
    assert (error.file, error.column, error.rule) == (FILE, key, rule)
    assert f"entry 2, {key}: " in error.what
    assert remedy in error.what


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    missing = {k: v for k, v in ONE.items() if k != "title"}
    with language("en"), pytest.raises(HubError) as caught:
        read_calendar(written(tmp_path, ONE, ONE, {**missing, "id": "two"}))
    assert "entry 3, title: this is missing" in caught.value.what
    assert "entry 2, id: another event has this id" in caught.value.what
    nameless = {k: v for k, v in ONE.items() if k != "id"}
    with language("en"), pytest.raises(HubError) as caught:
        read_calendar(written(tmp_path, nameless, {**ONE, "id": "entry 1"}))
    assert "entry 1, id: this is missing" in caught.value.what
    assert "another event" not in caught.value.what


@pytest.mark.parametrize("content", ["- a\n", "events: 3\n", "events: [1]\n", "other: 1\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(HubError) as caught:
        read_calendar(tmp_path)
    assert caught.value.rule == "events-list"


@pytest.mark.parametrize(
    "content", [b"events: [", b"\xff\xfe\x00", b"events: !!python/object:os.x"]
)
def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(HubError) as caught:
        read_calendar(tmp_path)
    assert caught.value.rule == "events-yaml"


def test_hostile_text_stays_text(release: Release, tmp_path: Path) -> None:
    injected = "Talk\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Evil"
    texts = ("title", "place", "region", "organiser", "description", "accessibility")
    found = calendar(
        tmp_path,
        {**ONE, "id": "a", **dict.fromkeys(texts, EVIL)},
        {**ONE, "id": "b", **dict.fromkeys(texts, injected)},
        {**ONE, "id": "c", **dict.fromkeys(texts, "\u2028BEGIN:VEVENT\x85\x00\x1b[2J")},
    )
    page = english(release, found)
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "A" * 1501 not in page.text
    feed = calendar_file(found.events, EVIL, TODAY)
    assert len(icalendar.Calendar.from_ical(feed).walk("VEVENT")) == 3
    assert len(re.findall(rb"^BEGIN:VEVENT\r$", feed, re.MULTILINE)) == 3


ODD = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n;,\\:\"'<>&\u202e\u2028é字🎬")
)
DAYS = st.dates(date(2000, 1, 2), date(2199, 12, 30))
MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)).map(
    lambda m: m.replace(microsecond=0)
)
ZONES = ("UTC", "Europe/Zurich", "Africa/Abidjan", "Asia/Kathmandu")


@st.composite
def made_events(draw: st.DrawFn) -> Event:
    start, end = sorted(
        draw(st.lists(draw(st.sampled_from([DAYS, MOMENTS])), min_size=2, max_size=2))
    )
    return Event(
        id=draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)),
        title="T" + draw(ODD),
        place="P" + draw(ODD),
        region=draw(ODD),
        organiser=draw(ODD),
        description=draw(ODD) * draw(st.integers(0, 40)),
        kind=draw(st.sampled_from(KINDS)),
        start=start,
        end=end,
        time_zone=draw(
            st.sampled_from(["UTC", "Europe/Zurich", "Africa/Abidjan", "Asia/Kathmandu"])
        ),
    )


@given(st.lists(made_events(), max_size=3), ODD)
def test_calendars_read_back_what_was_written(held: list[Event], hub: str) -> None:
    feed = calendar_file(held, hub, TODAY)
    assert feed.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in feed.split(b"\r\n"))
    assert b"\n" not in feed.replace(b"\r\n", b"")
    found = icalendar.Calendar.from_ical(feed).walk("VEVENT")
    assert len(found) == len(held)
    for event, read in zip(held, found, strict=True):
        assert str(read["SUMMARY"]) == event.title
        assert str(read.get("DESCRIPTION", "")) == event.description
        assert str(read.get("CONTACT", "")) == event.organiser
        assert str(read["LOCATION"]) == ", ".join(x for x in (event.place, event.region) if x)
        assert read["DTSTAMP"].dt == datetime(2026, 11, 25, tzinfo=UTC)
        start, end = read["DTSTART"].dt, read.get("DTEND", read["DTSTART"]).dt
        if isinstance(event.start, datetime):
            zone = ZoneInfo(event.time_zone)
            assert start == event.start.replace(tzinfo=zone).astimezone(UTC)
        else:
            assert start == event.start
            assert end == event.last_day + timedelta(days=1)
        assert end >= start


@given(ODD)
def test_a_text_survives_the_file_and_cannot_end_its_line(value: str) -> None:
    assert not re.search("[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", text(value))
    whole = f"SUMMARY:{text(value)}" + "é字🎬" * 20
    line = fold(whole)
    assert b"".join(line.split(b"\r\n ")).rstrip(b"\r\n").decode() == whole
    assert all(len(piece) <= 75 for piece in line.split(b"\r\n"))


def test_identifiers_outlive_a_change(tmp_path: Path) -> None:
    feeds = [
        calendar_file(calendar(tmp_path / str(k), {**ONE, "title": t}).events, "Hub", TODAY)
        for k, t in enumerate(("Before", "After"))
    ]
    uids = {re.search(rb"UID:(\S+)", feed)[1] for feed in feeds}  # type: ignore[index]
    assert len(uids) == 1
    other = calendar_file(calendar(tmp_path / "x", ONE).events, "Another hub", TODAY)
    assert re.search(rb"UID:(\S+)", other)[1] not in uids  # type: ignore[index]


def test_one_time_zone_may_serve_all(tmp_path: Path) -> None:
    entries = [{**ONE, "id": n, "start": "2027-07-01 20:00"} for n in ("a", "b")]
    entries[1]["time_zone"] = "UTC"
    found = read_calendar(written(tmp_path, *entries, time_zone="Europe/Zurich"), TODAY)
    assert found is not None
    feed = calendar_file(found.events, "Hub", TODAY)
    assert sorted(re.findall(rb"DTSTART:(\S+)", feed)) == [b"20270701T180000Z", b"20270701T200000Z"]


def test_every_kind_has_a_name_in_every_language() -> None:
    for code in LANGUAGES:
        with language(code):
            assert len({events.kind_name(kind) for kind in KINDS}) == len(KINDS)
