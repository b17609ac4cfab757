"""No outcome that somebody outside sees depends on exact data of others, but through paid noise.

A hub has a release.  One contributor sends again, in each world something else by one person, or
somebody withdraws; the next release gets the same noisy tables in all worlds.  Then readers must
see the same bytes, and every other contributor too.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
import yaml
from invented_round import DOMAINS, lay_table, stream

from ctdhub.cli import app
from ctdhub.cli.verbs import modules
from ctdhub.core.keys.age import make_identity
from ctdhub.core.keys.signing import make_key
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import up_to
from ctdhub.dp.secagg import parties
from ctdhub.dp.secagg.masks import Cells, with_noise
from ctdhub.hub import find_person, pipeline, rehearsal, withdrawals
from ctdhub.hub.deliveries import out_of_force
from ctdhub.hub.folder import Hub
from ctdhub.hub.paid import ledger
from ctdhub.hub.private import pages
from ctdhub.hub.review import reports
from ctdhub.hub.stages import candidate
from ctdhub.hub.stages import site as edition
from ctdhub.release.approvals import ROLES
from ctdhub.site import build as site_pages
from tests.fixtures.hubs import set_languages, set_policy, sign
from tests.journeys.neighbours import (
    LINE,
    Run,
    Seen,
    Worlds,
    differing,
    published,
    ran,
    require_equal,
)
from tests.journeys.small_hub import HEADER, MAPPING, join, new_hub, send

WHO, KNOWS, ASIDE = "harbour", "mirador", "hotline"
"""Whose data differ; who knows some of the same people by their tokens; who knows none of them."""
OTHERS = (KNOWS, ASIDE)
ONE, TWO = "2026-01-15", "2026-06-15"
TOKENS = (
    MAPPING.replace("case: hash", "case: token")
    + """
  assistance_accommodation: {from: housed, map: {"1": received, "0": declined}}
perpetrators:
  split: ";"
  columns: {perpetrator_gender: {from: by, map: {F: female, M: male}}}
"""
)
COLUMNS_SENT = f"{HEADER},housed,by"
COLUMNS = [
    "year_of_registration", "gender", "citizenship", "exploitation_sexual",
    "assistance_accommodation",
]  # fmt: skip


def token(number: int) -> str:
    return f"token-of-an-invented-person-{number:05d}"


def rows(first: int, last: int, case: Callable[[int], str] = token) -> list[str]:
    """Fictitious rows; one person is the same in every list."""
    found = []
    for number in range(first, last):
        draw = random.Random(number)
        year, sex, age = draw.choice((2018, 2019, 2020, 2021)), draw.choice("FFM"), 20 + number % 30
        harm, origin, housed = draw.choice("001"), draw.choice(("NGA", "ALB")), draw.choice("01")
        by = draw.choice(("", "M", "F;M", "M;M;M"))
        found.append(f"{case(number)},{year},{sex},{age},{harm},{origin},{housed},{by}")
    return found


def lay(folder: Path) -> Hub:
    """A hub of three contributors whose releases two people approve; it has one."""
    hub = new_hub(folder)
    set_languages(hub, "en")
    set_policy(hub, years=[2018, 2021], columns=COLUMNS, perpetrators={"share": 0.1},
               budget={"epsilon": 20.0}, reason="Invented.", epsilon=3.0,
               sources={"share": 0.1, "lists": [WHO, KNOWS]})  # fmt: skip
    for contributor in (WHO, KNOWS, ASIDE):
        join(hub, contributor, TOKENS, years=[2018, 2021])
    send(hub, WHO, ONE, *rows(0, 40), header=COLUMNS_SENT)
    send(hub, KNOWS, ONE, *rows(30, 60), header=COLUMNS_SENT)
    send(hub, ASIDE, ONE, *rows(100, 130), header=COLUMNS_SENT)
    hub.practice_key("steward").parent.mkdir(exist_ok=True)
    keys = {role: make_key(hub.practice_key(role)).public for role in ROLES}
    file = hub.root / "hub.yaml"
    said = {"approvers": keys, "recipients": [make_identity(folder.with_name("inbox.age"))]}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | said))
    return Hub(folder)


def candidate_of(hub: Hub, version: str) -> None:
    """Protect, and lay the candidate before those who sign."""
    pipeline.build(hub, pay=up_to(3), accept_alarms=True, version=version, note="A note.")


def build(hub: Hub, version: str) -> None:
    """Protect, two people sign, publish, draw the site."""
    candidate_of(hub, version)
    for role in ROLES:
        sign(hub, role)
    pipeline.build(hub)


BASE = [*rows(0, 40), *rows(90, 92)]
"""The second file; the last two people are new in it."""


def sends(*lines: str) -> Callable[[Worlds], None]:
    """The contributor sends its file once more, with these rows."""

    def happens(worlds: Worlds) -> None:
        send(worlds.hub, WHO, TWO, *lines, header=COLUMNS_SENT)

    return happens


def withdraws(worlds: Worlds) -> None:
    """Nothing changes in the file; a person whom both know withdraws at one."""
    sends(*BASE)(worlds)
    told = find_person.look_up(worlds.hub, WHO, [token(35)], "token", "person", "asked")
    withdrawals.withdraw(worlds.hub, told.entries)


def drafts(worlds: Worlds) -> None:
    """A candidate of other data was paid for and never signed."""
    sends(*BASE[:-1])(worlds)
    with worlds.noise("a draft", hold=False):
        candidate_of(worlds.hub, "2026.2")
        assert len(ledger(worlds.hub).entries()) == 2
    sends(*BASE)(worlds)


def everything(worlds: Worlds) -> None:
    """A draft was paid for, then the file has one fewer and a row that nobody can read."""
    drafts(worlds)
    withdraws(worlds)
    sends(*BASE[:3], UNREADABLE, *BASE[4:-1])(worlds)


def corrects(worlds: Worlds) -> None:
    """Of two who withdraw one is back; the first file came again without the other one; what the
    second says of perpetrators is corrected."""
    sends(*BASE[:-2], f"{token(90)},2020,F,30,1,NGA,1,F;F;M")(worlds)
    for number in (35, 36):
        told = find_person.look_up(worlds.hub, WHO, [token(number)], "token", "person", "asked")
        withdrawals.withdraw(worlds.hub, told.entries)
    withdrawals.take_back(worlds.hub, WHO, [token(36)], "token", "mistake")
    send(worlds.hub, WHO, ONE, *rows(0, 35), *rows(36, 40), header=COLUMNS_SENT)


def learns(worlds: Worlds) -> None:
    """One row more holds a text that nobody knew, so the steward writes a rule for it, leaves some
    rows out, lets another text stay unknown and accepts an alarm."""
    sends(*BASE, f"{token(98)},2020,NB,30,1,NGA,1,F")(worlds)
    mapping, agreement = (
        worlds.hub.mapping(WHO), worlds.hub.root / "contributors" / f"{WHO}.yaml",
    )  # fmt: skip
    rules = yaml.safe_load(mapping.read_text("utf-8"))
    rules["columns"]["gender"]["map"]["NB"] = "transgender_nonconforming"
    rules["exclude"].append({"rule": "no-case", "when": {"housed": ["test"]}})
    rules["accept"] = ["unknown-texts: nationality"]
    mapping.write_text(yaml.safe_dump(rules), "utf-8")
    said = yaml.safe_load(agreement.read_text("utf-8"))
    agreement.write_text(yaml.safe_dump(said | {"unknown_share": 0.05}), "utf-8")


def is_another_format(worlds: Worlds) -> None:
    """One row has a year in another way, for which the mapping of its contributor is rewritten."""
    sends(*BASE[:-1], f"{token(91)},05/2020,F,30,1,NGA,1,F")(worlds)
    mapping = worlds.hub.mapping(WHO)
    rules = yaml.safe_load(mapping.read_text("utf-8"))
    rules["dates"] = {"format": "%m/%Y"}
    rules["columns"]["age_band"] = {"from": "age", "band": True, "unknown": "null"}
    mapping.write_text(yaml.safe_dump(rules), "utf-8")


SAME = sends(*BASE)
UNREADABLE = f"{token(3)},20x1,?,old,maybe,nowhere,?,?"
UNLIKE = f"{token(99)},2018,M,70,1,VNM,1,F;F;F;M;M"
KNOWN_TO_ANOTHER = f"{token(55)},2019,F,25,1,GHA,0,"
NEIGHBOURS: dict[str, Callable[[Worlds], None]] = {
    "more": sends(*BASE, UNLIKE, KNOWN_TO_ANOTHER),
    "fewer and changed": sends(
        *BASE[:2], f"{token(2)},2021,M,17,0,PHL,0,F", UNREADABLE, *BASE[4:-1]
    ),
    "draft": drafts,
    "corrected and withdrawn": corrects,
    "a rule that a text forces": learns,
    "a rule that a date forces": is_another_format,
}
"""What may happen at one contributor; nothing of it may be seen but by itself."""

PUBLIC: dict[str, tuple[str, ...]] = {
    "verify": ("{hub}/releases/2026.2",),
    "facts": ("{hub}",),
    "trends": ("{hub}", "--of", "gender=female", "--from", "2019", "--to", "2021"),
    "signals": ("{hub}",),
    "estimate": ("{hub}",),
    "equity": ("{hub}", "--kind", "accommodation", "--by", "gender"),
    "tables": ("{hub}", "--for", "sdg-16.2.2", "--country", "ITA", "--year", "2020",
               "--out", "{out}/t.csv"),
    "brief": ("{hub}", "--country", "ALB", "--format", "html", "--out", "{out}/brief.html"),
    "reissue": ("{hub}", "2026.2", "--out", "{out}/2026.2"),
    "notice": ("{hub}",),
    "deposit": ("{hub}", "--out", "{out}/deposit"),
}  # fmt: skip
"""Commands whose outcome readers see, as they are compared."""

OWN: dict[str, tuple[str, ...]] = {
    "brief": ("{hub}", "--contributor", "{who}", "--format", "html", "--out", "{out}/own.html"),
    "look": ("{hub}", "--contributor", "{who}", "--report", "{out}/rows.html"),
}
"""Commands whose outcome a contributor is given, as they are compared."""

ROUND = ("new", "join", "start", "mask", "close", "reveal", "sum", "show", "release")
"""Steps of a round of counts."""

COMPARED_APART = {
    "site": "its folder is compared, as the build of each world draws it",
    "serve": "it shows that folder",
    "push": "it sends the files of a published release, which are compared",
    "protect": "by test_a_table_that_is_protected_alone",
    "desk serve": "by tests/desk/test_desk_neighbours.py: every page of a contributor",
    **dict.fromkeys(
        (f"count {step}" for step in ROUND), "by test_a_round_of_counts_with_a_forged_cell"
    ),
}
INSIDE = {
    *("init", "demo", "check", "build", "release", "approve", "ledger", "adopt"),
    *("linkage", "withdraw", "journal", "hold", "approvers", "bundle open"),
    *("desk confirm", "desk check", "desk demo", "desk verify"),
    *("desk backup", "desk restore", "desk resume"),
}
"""Seen by the steward and the privacy officer, who may know what contributors sent.  What they
publish is compared."""

NO_DATA_OF_OTHERS = {
    *("practice", "rehearse", "form", "codebook", "crosswalk", "correct", "papers"),
    *("suggest", "harmonise", "tokens", "link", "domains", "kanon", "convert"),
    *("mapping export", "mapping import", "mapping history", "mapping undo"),
    *("kit", "bundle card", "bundle make"),
    *("key new", "key show", "key wrap", "key unwrap", "key split", "key join", "key rotate"),
}
"""They read keys, settings, or one file for whoever holds it and for nobody else.  What ``kanon``
writes is no protected answer, and says so."""

OF_SETTINGS: tuple[tuple[str, ...], ...] = (
    ("papers", "{hub}", "--out", "{out}/papers"),
    ("bundle", "card", "{hub}", KNOWS, "--key", "{key}", "--out", "{out}/card"),
    ("correct", "{hub}", "2026.1", "--note", "A note.", "--yes"),
)
"""Those of them that are given a hub, for a test that it is so."""


def verbs() -> set[str]:
    """All verbs; of one that has verbs below it, these, as ``key new``."""
    found: set[str] = set()
    command = typer.main.get_command(app.command())
    for verb, one in command.commands.items():  # type: ignore[attr-defined]
        below = getattr(one, "commands", {})
        found |= {f"{verb} {name}" for name in below} or {verb}
    return found


def test_every_verb_is_compared_or_says_why_not() -> None:
    """Who adds a verb, or one below it, says here who sees its outcome."""
    classes = [PUBLIC, OWN, COMPARED_APART, INSIDE, NO_DATA_OF_OTHERS]
    assert {verb.split()[0] for verb in verbs()} == {v for each in modules().values() for v in each}
    assert verbs() == {verb for each in classes for verb in each}
    several = Counter(verb for each in classes for verb in each)
    assert [verb for verb, n in several.items() if n > 1] == ["brief"]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """Three contributors and a release."""
    with pytest.MonkeyPatch.context() as patch:
        worlds = Worlds(tmp_path_factory.mktemp("worlds"), patch)
        worlds.begin()
        with worlds.noise("the first release", hold=False):
            hub = lay(worlds.folder / "now" / "hub")
            build(hub, "2026.1")
        worlds.keep()
        yield worlds


def seen(
    worlds: Worlds,
    run: Run,
    happens: Callable[[Worlds], None],
    public: dict[str, tuple[str, ...]] = PUBLIC,
) -> Seen:
    """All that readers and the other contributors see of a world, when its next release is out."""
    with worlds.world() as hub:
        happens(worlds)
        with worlds.noise("the next release", hold=True):
            build(hub, "2026.2")
            found = published(hub)
            EXACT[happens] = pq.read_table(hub.work / "people" / "people.parquet").to_pylist()
            out, places = worlds.folder / "out", {"hub": hub.root}
            for verb, words in public.items():
                found |= ran(run, out, (verb, *words), **places)
            for who in OTHERS:
                for verb, words in OWN.items():
                    found |= ran(run, out, (verb, *words), **places, who=who)
    return found


SEEN: dict[str, Seen] = {}
EXACT: dict[Callable[[Worlds], None], list[dict[str, Any]]] = {}
"""Rows of people of each world; that they differ shows that something was compared."""


def same(worlds: Worlds, run: Run) -> Seen:
    """What everybody sees where nothing happened."""
    if not SEEN:
        SEEN["same"] = seen(worlds, run, SAME)
    return SEEN["same"]


def test_what_is_compared(worlds: Worlds, ctdhub: Run) -> None:
    """The comparison is not empty: the commands answer, files and pages are there."""
    found = same(worlds, ctdhub)
    codes = {n.split()[0]: v.split(b"\n")[0] for n, v in found.items() if n.endswith(": printed")}
    assert codes.pop("estimate") == b"exit code 1", "too few people are on two lists"
    assert set(codes) == {*PUBLIC, *OWN} - {"estimate"}
    assert set(codes.values()) == {b"exit code 0"}, codes
    for name in ("releases/2026.2/manifest.json", "releases/2026.2/APPROVALS.json",
                 "releases/2026.2/sources.csv", "site/index.html"):  # fmt: skip
        assert name in found
    assert any("methods" in name for name in found)
    assert sum(name.endswith((".html", ".json", ".csv")) for name in found) > 50
    assert {n for n in found if "who=" in n and n.endswith("html")} == {
        f"{' '.join((verb, *words))} who={who}: {words[-1].removeprefix('{out}/')}"
        for verb, words in OWN.items()
        for who in OTHERS
    }


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_nobody_outside_sees_what_one_contributor_sent(
    worlds: Worlds, ctdhub: Run, neighbour: str
) -> None:
    happens = NEIGHBOURS[neighbour]
    first, other = same(worlds, ctdhub), seen(worlds, ctdhub, happens)
    assert (EXACT[SAME] == EXACT[happens]) == (happens is drafts)
    if neighbour == "draft":  # its line, with its random digits, stands before that of the release
        first, other = (
            {n: v for n, v in s.items() if not n.endswith(LINE)} for s in (first, other)
        )
    require_equal(first, other)


def test_leaks_that_are_put_in_are_found(
    worlds: Worlds, ctdhub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exact count in a name, rejects in the manifest, drafts on a page, others' withdrawals."""
    facts_of, make_site = candidate.public_facts, site_pages.build_site

    def facts(hub: Hub, rules: Policy, until: int) -> dict[str, Any]:
        rejected = sum(r["conservation"]["rejected"] for r in reports(hub))
        return facts_of(hub, rules, until) | {"promise_reason": f"Invented, {rejected}."}

    def site(release: Any, folder: Path, *more: Any, **named: Any) -> object:
        made = make_site(release, folder, *more, **named)
        people = pq.read_metadata(worlds.hub.work / "people" / "people.parquet").num_rows
        (folder / f"people-{people}.html").write_text("", "utf-8")
        return made

    monkeypatch.setattr(candidate, "public_facts", facts)
    monkeypatch.setattr(site_pages, "build_site", site)
    monkeypatch.setattr(edition, "published", lambda hub: {e.id: "" for e in ledger(hub).entries()})
    monkeypatch.setattr(
        pages,
        "own_out_of_force",
        lambda hub, one: out_of_force(hub, [one], hub.withdrawn()),
    )
    first, other = (seen(worlds, ctdhub, happens, {}) for happens in (SAME, everything))
    found = differing(first, other)
    assert sum(name.startswith("site/people-") for name in found) == 2
    assert "releases/2026.2/manifest.json" in found
    assert any(name.endswith("methods.html") for name in found), found
    assert any(
        name.startswith("brief") and name.endswith("who=mirador: own.html") for name in found
    )
    assert not any(name.endswith("who=hotline: own.html") for name in found)


def test_what_reads_no_case_data_is_the_same_whatever_was_sent(worlds: Worlds, ctdhub: Run) -> None:
    """In the second world every contributed file is no table, and what was made of them is gone."""
    found: list[Seen] = []
    for spoilt in (False, True):
        with worlds.world() as hub, worlds.noise("settings", hold=False):
            if spoilt:
                shutil.rmtree(hub.work)
                for file in (hub.root / "contributions").glob("*/*/*"):
                    file.write_bytes(b"\x00")
            places = {"hub": hub.root, "key": hub.practice_key("steward")}
            answers = [ran(ctdhub, worlds.folder / "out", words, **places) for words in OF_SETTINGS]
            answers.append(
                {"rehearse": repr(rehearsal.of_hub(hub)).encode()}
            )  # it draws real noise
            found.append({name: content for each in answers for name, content in each.items()})
    told = {n: v.split(b"\n")[0] for n, v in found[0].items() if n.endswith(": printed")}
    assert set(told.values()) == {b"exit code 0"}, told
    named = {" ".join(words[:n]) for words in OF_SETTINGS for n in (1, 2)}
    assert len(named & NO_DATA_OF_OTHERS) == len(OF_SETTINGS)
    require_equal(*found)


def test_a_table_that_is_protected_alone(worlds: Worlds, ctdhub: Run) -> None:
    words = ("protect", "{table}", "--domains", "{domains}", "--epsilon", "1", "--delta", "1e-6",
             "--max-people", "10000", "--ledger", "{ledger}", "--new-ledger", "Fictitious people.",
             "--out", "{out}/protected")  # fmt: skip
    found = []
    for lines in (BASE, [*BASE, UNLIKE], BASE[:-1]):
        with worlds.world() as hub, worlds.noise("a table", hold=True):
            table, domains = hub.root.parent / "t.csv", hub.root.parent / "domains.yaml"
            table.write_text("\n".join([COLUMNS_SENT, *lines, ""]), "utf-8")
            domains.write_text("version: 1\ncolumns:\n  sex: [F, M]\n  nationality: "
                               "[NGA, ALB, VNM]\n  year: {years: [2018, 2021]}\n")  # fmt: skip
            places = {"table": table, "domains": domains, "ledger": hub.root.parent / "ledger"}
            found.append(ran(ctdhub, worlds.folder / "out", words, **places))
    assert b"exit code 0" in found[0][f"{' '.join(words)}: printed"]
    for other in found[1:]:
        require_equal(found[0], other)


FOUR = ("one", "two", "three", "four")


def test_a_round_of_counts_with_a_forged_cell(
    worlds: Worlds, ctdhub: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth takes a person out where the first has one or none; nobody is told which."""
    held: dict[str, Cells] = {}
    now, out = tmp_path / "now", tmp_path / "out"
    places = {"x": now / "exchange", "now": now, "keep": now}

    stepped = set()

    def step(what: str, *words: str) -> Seen:
        stepped.add(what)
        return ran(ctdhub, out, ("count", what, *words), **places)

    def begin() -> None:
        now.mkdir()
        (now / "domains.yaml").write_text(DOMAINS, "utf-8")
        for name in FOUR:
            lay_table(now / f"{name}.csv", name, 40)
        names = (word for name in FOUR for word in ("--contributor", name))
        step("new", "{x}", "--keep", "{now}/hub", "--domains", "{now}/domains.yaml", *names,
             "--epsilon", "20", "--delta", "1e-6", "--max-people", "10000")  # fmt: skip
        for name in FOUR:
            step("join", "{x}", "--keep", f"{{now}}/{name}", "--name", name)
        assert any(
            b"exit code 0" in told for told in step("start", "{x}", "--keep", "{now}/hub").values()
        )

    def happens() -> Seen:
        worlds.begin_phase("a round")
        found: Seen = {}
        for name in FOUR:

            def noisy(*given: Any, name: str = name) -> Cells:
                drawn = with_noise(*given[:3], stream(name.encode()))
                cells = held.setdefault(name, drawn).copy()
                if name == "four":
                    cells -= np.uint32(1)
                return cells

            monkeypatch.setattr(parties, "with_noise", noisy)
            found |= step("mask", f"{{now}}/{name}.csv", "{x}", "--keep", f"{{now}}/{name}")
        found |= step("close", "{x}", "--keep", "{now}/hub", "--ledger", "{now}/ledger",
                      "--budget", "20", "--new-ledger", "Fictitious people.")  # fmt: skip
        for name in FOUR:
            found |= step("reveal", "{x}", "--keep", f"{{now}}/{name}")
        found |= step("show", "{x}/round.count")
        found |= step("sum", "{x}", "--keep", "{now}/hub")
        found |= step("release", "{now}/hub/sum.count", "--out", "{out}/protected")
        for file in (now / "exchange").iterdir():  # under masks: sizes tell, contents are random
            found[file.name] = str(file.stat().st_size).encode()
        return found

    fit = parties.answer_to
    monkeypatch.setattr(
        parties, "answer_to", lambda *given: fit(*given[:3], stream(b"fit"), *given[4:])
    )
    begin()
    shutil.copytree(now, tmp_path / "kept")
    with worlds.world():  # for its state folder
        found = [happens()]
    assert stepped == set(ROUND)
    printed = [told for name, told in found[0].items() if name.endswith(": printed")]
    assert [told for told in printed if not told.startswith(b"exit code 0")] == []
    assert any(name.endswith("records.csv") for name in found[0])
    shutil.rmtree(now)
    shutil.copytree(tmp_path / "kept", now)
    with (now / "one.csv").open("a", encoding="utf-8") as file:
        file.write("2020,other,18+,yes\n")
    with worlds.world():
        found.append(happens())
    require_equal(*found)
