"""Who sends codes reports a withdrawal by a signed file; who cheats gets nowhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Literal

import pytest

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.core.keys.signing import SigningKey, make_key
from ctdhub.hub import pipeline, withdrawals
from ctdhub.sensitive.bundle.leaving import (
    MOST_CODES,
    check_case_codes,
    leaving,
    parse_withdrawal,
    write_withdrawal,
)
from ctdhub.sensitive.bundle.pack import HubCard
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from tests.journeys.small_hub import HEADER, KEYLESS, MAPPING, join, new_hub, people, send

SECRET = b"s" * 32
ROWS = "K-1,2020,F,30,1,NGA\nK-2,2021,M,31,0,ALB\n"


class Coded:
    """A hub, an organisation that sends it codes, and another one that sends numbers."""

    def __init__(self, root: Path) -> None:
        self.root, self.hub = root, new_hub(root / "hub")
        self.key = make_key(root / "own.pem")
        (root / "own.csv").write_text(f"{HEADER}\n{ROWS}", "utf-8")
        rules = parse_mapping(MAPPING, "m.yaml")
        raw = read_isolated(root / "own.csv", rules.read)
        left = leaving(raw, rules, "ours", (2000, 2030), SECRET, root)
        join(self.hub, "ours", left.mapping, senders=[self.key.public])
        join(self.hub, "theirs")
        header, *rows = left.cases.decode().splitlines()
        send(self.hub, "ours", "2026-01-15", *rows, header=header)
        send(self.hub, "theirs", "2026-01-15", "K-9,2020,F,25,1,NGA")
        self.codes = [row["case"] for row in csv.DictReader(io.StringIO(left.cases.decode()))]

    def file(self, *numbers: str, key: SigningKey | None = None, **card: str) -> bytes:
        about = {"hub": self.hub.settings.name, "contributor": "ours", "contributor_name": "Ours"}
        made = HubCard(
            schema_version="1.2", years=(2000, 2030), recipients=("age1",),
            contributor_kind="hotline", date="2026-01-01", **about | card,
        )  # fmt: skip
        return write_withdrawal(made, numbers, "person", key or self.key, SECRET)

    def report(self) -> withdrawals.WithdrawalReport:
        (one,) = withdrawals.reports(self.hub).values()
        return one


def quiet(_step: object, _share: float) -> None:
    """Nobody watches."""


@pytest.fixture
def coded(tmp_path: Path) -> Coded:
    return Coded(tmp_path)


def test_a_number_is_answered_by_the_file_and_stops_releases_until_then(
    coded: Coded, ctdhub
) -> None:  # type: ignore[no-untyped-def]
    hub, root = coded.hub, coded.root
    assert len(people(hub)) == 3
    (root / "numbers.txt").write_text("K-2\n", "utf-8")
    verb = ("withdraw", hub.root, "--contributor", "ours", "--yes", "--file")
    code, _out, err = ctdhub(*verb, root / "numbers.txt", "--ahead")
    assert code != 0
    assert "its kit makes" in " ".join(err.split())
    assert coded.report().state == "asked"
    assert not hub.withdrawal_lines()
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="candidate")
    assert met.value.rule == "withdrawal-open"
    assert "the contributor must answer" in ctdhub("withdraw", hub.root, "--list")[1]
    (root / "a.ctdwithdrawal").write_bytes(coded.file("K-2"))
    assert ctdhub(*verb, root / "a.ctdwithdrawal")[0] == 0
    assert (coded.report().state, coded.report().numbers) == ("done", ())
    hub.refuse_unanswered()
    assert [row[1] for row in people(hub)] == ["female"] * 2
    assert "K-2" not in "".join(p.read_text() for p in (hub.root / "withdrawals").rglob("*.json*"))


def test_the_code_is_that_of_the_bundle_in_whatever_spelling(coded: Coded) -> None:
    """Blanks and full-width digits are what the mapping takes them for."""
    for number in ("K-2", " K-2 ", "K-\uff12"):
        assert parse_withdrawal(coded.file(number)).codes == (coded.codes[1],)
    for numbers in ((), ("0",), ("K-1",) * (MOST_CODES + 1)):
        with pytest.raises(HubError):
            coded.file(*numbers)


@pytest.mark.parametrize(
    ("key", "read"), [("key: [case]", "case: [TEST-1]"), ("key: [case, no]", "sexual: [never]")]
)
def test_where_a_hub_finds_nobody_by_codes_the_kit_says_so(key: str, read: str) -> None:
    """The number leaves as it is, for a rule reads it, or is a part of the key alone."""
    check_case_codes(parse_mapping(MAPPING, "m.yaml"))
    changed = MAPPING.replace("identifiers: {case: hash}", key).replace("sexual: [never]", read)
    with pytest.raises(HubError) as met:
        check_case_codes(parse_mapping(changed, "m.yaml"))
    assert met.value.name == "withdrawal-codes/kit"


def test_who_cheats_gets_nowhere(coded: Coded, tmp_path: Path) -> None:
    """Tampered, of another, for another hub, with another key, too many, and once more."""
    hub, good = coded.hub, coded.file("K-2")
    stranger = make_key(tmp_path / "stranger.pem")
    join(hub, "theirs", senders=[stranger.public])
    other = json.loads(good)
    other["withdrawal"]["codes"] = [coded.codes[0]]
    many = json.loads(good)
    many["withdrawal"]["codes"] *= 10_000
    for content, rule in (
        (json.dumps(other).encode(), "withdrawal-file"),
        (json.dumps(many).encode(), "withdrawal-file"),
        (good[:-9], "withdrawal-file"),
        (b"[" * 9_000, "withdrawal-file"),
        (coded.file("K-2", key=stranger), "withdrawal-file/whose"),
        (coded.file("K-2", hub="Another"), "withdrawal-file/whose"),
        (coded.file("K-2", key=stranger, contributor="theirs"), "withdrawal-file/whose"),
    ):
        with pytest.raises(HubError) as met:
            withdrawals.submit_file(hub, "ours", content)
        assert met.value.name == rule
    assert not withdrawals.reports(hub)
    key = withdrawals.submit_file(hub, "ours", good)
    assert withdrawals.carry_out(hub, key, quiet).state == "done"
    withdrawals.take_back(hub, "ours", [coded.codes[1]], "case", "asked")
    again = json.dumps(json.loads(good), separators=(",", ":")).encode()  # other bytes, same words
    with pytest.raises(HubError) as met:
        withdrawals.submit_file(hub, "ours", again)
    assert met.value.name == "withdrawal-file/again"
    assert not hub.withdrawn().entries, "who came back stays"


def test_what_a_file_is_answered_says_nothing_of_others(coded: Coded) -> None:
    """The other organisation has the same text as its number, and withdraws it, or not."""
    seen, file = [], coded.file("K-7")
    for rows in (("K-9,2020,F,25,1,NGA",), (f"{parse_withdrawal(file).codes[0]},2020,F,25,1,NGA",)):
        send(coded.hub, "theirs", "2026-01-15", *rows)
        key = withdrawals.submit_file(coded.hub, "ours", file)
        report = withdrawals.look_for(coded.hub, key, quiet)[0]
        seen.append((report.state, report.unknown, report.asked, report.digest))
        withdrawals.take_back_report(coded.hub, key, "ours")
    assert seen[0] == seen[1] == ("asked", (1,), (), seen[0][3])


def test_none_of_these_rows_is_not_done(tmp_path: Path) -> None:
    """The number of a case stays in force, and a later row of it is asked about."""
    hub = new_hub(tmp_path / "hub")
    join(hub, "ours", KEYLESS, deliveries="cumulative")
    rows = ("K-1,2020,F,30,1,NGA", "K-1,2021,M,31,0,ALB")
    send(hub, "ours", "2026-01-15", *rows)
    key = withdrawals.submit(hub, "ours", "person", "asked", ["K-1"])
    report = withdrawals.look_for(hub, key, quiet)[0]
    assert (report.state, len(report.asked[0].rows)) == ("asked", 2)
    withdrawals.answer(hub, key, "ours", report.digest, {1: []}, "")
    done = withdrawals.carry_out(hub, key, quiet)
    assert (done.state, done.missed) == ("nothing_found", 1)
    assert [*withdrawals.recorded_numbers(hub).values()] == [False]
    assert len(people(hub)) == 2
    send(hub, "ours", "2026-02-15", *rows, "K-1,2022,F,19,1,NGA")
    with pytest.raises(HubError) as met:
        pipeline.build(hub, until="link")
    assert met.value.rule == "case-rows"
    assert withdrawals.take_back(hub, "ours", ["K-1"], "case", "asked") == 1
    assert len(people(hub)) == 3


@pytest.mark.parametrize("unknown", ["ahead", "drop"])
def test_a_case_that_was_chosen_before_and_has_no_row_any_more(
    tmp_path: Path, unknown: Literal["ahead", "drop"]
) -> None:
    hub = new_hub(tmp_path / "hub")
    join(hub, "ours", KEYLESS, deliveries="cumulative")
    send(hub, "ours", "2026-01-15", "K-1,2020,F,30,1,NGA", "K-1,2021,M,31,0,ALB")
    key = withdrawals.submit(hub, "ours", "person", "asked", ["K-1"])
    seen = withdrawals.look_for(hub, key, quiet)[0].digest
    withdrawals.answer(hub, key, "ours", seen, {1: [0]}, "")
    assert withdrawals.carry_out(hub, key, quiet).state == "done"
    send(hub, "ours", "2026-02-15", "K-2,2020,F,30,1,NGA", "K-3,2021,M,31,0,ALB")
    key = withdrawals.submit(hub, "ours", "person", "asked", ["K-1"])
    report = withdrawals.look_for(hub, key, quiet)[0]
    assert (report.state, report.unknown) == ("asked", (1,))
    withdrawals.answer(hub, key, "ours", report.digest, {1: []}, unknown)
    if unknown == "ahead":
        done = withdrawals.carry_out(hub, key, quiet)
        assert (done.state, done.missed) == ("nothing_found", 1)
    assert not withdrawals.waiting(hub)


def test_nobody_blocks_a_hub_with_an_invented_number(coded: Coded) -> None:
    """The steward passes with a reason, also before it was looked for."""
    hub = coded.hub
    for n in range(withdrawals.MOST_OPEN):
        key = withdrawals.submit(hub, "theirs", "person", "asked", [f"X-{n}"], "case")
    with pytest.raises(HubError) as met:
        withdrawals.submit(hub, "theirs", "person", "asked", ["X"], "case")
    assert met.value.name == "told-numbers/reports"
    assert withdrawals.submit(hub, "theirs", "person", "asked", ["X-3"], "case"), "the same one"
    assert withdrawals.look_for(hub, key, quiet)[0].state == "asked"
    for reason in ("", " ", "w" * 501):
        with pytest.raises(HubError):
            withdrawals.pass_over(hub, "theirs", reason)
    with pytest.raises(HubError):
        hub.refuse_unanswered()
    withdrawals.pass_over(hub, "theirs", "They do\nnot answer.")
    for one in withdrawals.waiting(hub):
        withdrawals.look_for(hub, one, quiet)
    hub.refuse_unanswered()
    for code in LANGUAGES:
        with language(code):
            shown = {said(text) for text in withdrawals.waiting_words(hub)}
            assert len(shown) == 1
            assert "They do not answer." in shown.pop()
    seen = withdrawals.report_of(hub, key).digest
    withdrawals.answer(hub, key, "theirs", seen, {}, "ahead")
    with pytest.raises(HubError):
        hub.refuse_unanswered()  # it has an answer now, so that it must be carried out
    with pytest.raises(HubError):
        withdrawals.pass_over(hub, "ours", "It waits for us alone.")
    assert withdrawals.carry_out(hub, key, quiet).state == "nothing_found"
    hub.refuse_unanswered()


def test_what_can_no_longer_be_carried_out_blocks_no_hub(coded: Coded) -> None:
    """It is passed once nothing else of that contributor waits, and may not go with others."""
    hub = coded.hub
    key = withdrawals.submit(hub, "theirs", "person", "asked", ["K-9"], "case", ahead=True)
    assert withdrawals.look_for(hub, key, quiet)[0].state == "ready"
    withdrawals.submit(hub, "theirs", "person", "asked", ["X"], "case")
    (hub.root / "contributors" / "theirs.yaml").unlink()
    with pytest.raises(HubError):
        withdrawals.carry_out(hub, key, quiet)
    withdrawals.pass_over(hub, "theirs", "They do not answer.")
    assert not withdrawals.report_of(hub, key).passed
    with pytest.raises(HubError):
        hub.refuse_unanswered()
    withdrawals.pass_over(hub, "theirs", "They left.")
    assert withdrawals.report_of(hub, key).passed == "They left."
    hub.refuse_unanswered()
