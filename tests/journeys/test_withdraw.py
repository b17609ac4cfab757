"""People and contributors withdraw from a real hub: files, ledger, candidates, releases."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import HubError, PolicyError, ReleaseError, WithdrawalError
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.quote import up_to
from ctdhub.hub import find_person, pipeline, review, withdrawals
from ctdhub.hub.folder import Hub, released_version
from ctdhub.hub.private.pages import own_profile
from ctdhub.hub.stages import publish
from ctdhub.release.open import open_release, verify
from ctdhub.sensitive.consent.register import Withdrawal
from tests.fixtures.hubs import copied, make_real, set_policy, sign
from tests.forked import needs_fork
from tests.journeys.forked import durable, kill, points

HARBOUR, MIRADOR, RIVAGE = "harbour-casework", "mirador-observatory", "rivage-refuge"
LISTS = [HARBOUR, MIRADOR, RIVAGE]


def file_of(hub: Hub, contributor: str) -> Path:
    (file,) = (hub.root / "contributions" / contributor).glob("*/*")
    return file


def table(hub: Hub, contributor: str) -> list[list[str]]:
    """The rows of a practice file, header first."""
    dialect = {HARBOUR: ("cp1252", ";"), MIRADOR: ("utf-8-sig", ",")}[contributor]
    text = file_of(hub, contributor).read_text(dialect[0])
    return list(csv.reader(text.splitlines(), delimiter=dialect[1]))


def known_to_both(hub: Hub) -> list[tuple[str, str]]:
    """Case at harbour and token of people whom mirador knows too, in order."""
    there = {row[1] for row in table(hub, MIRADOR)[1:]}
    held = records(hub, HARBOUR), records(hub, MIRADOR)
    both = set(held[0]) & set(held[1])
    rows = table(hub, HARBOUR)
    place = rows[0].index("LinkToken")
    return [(r[0], r[place]) for r in rows[1:] if r[place] in there & both]


def records(hub: Hub, contributor: str) -> list[str]:
    """Person keys of the harmonised records of a contributor."""
    (file,) = (hub.work / "harmonised" / contributor).glob("*/*/records.parquet")
    return pq.read_table(file)["person_key"].drop_null().to_pylist()


def people(hub: Hub) -> pa.Table:
    return pq.read_table(hub.work / "people" / "people.parquet")


def told(hub: Hub, *numbers: str, by: str = "case", scope: str = "person") -> int:
    found = find_person.look_up(hub, HARBOUR, numbers, by, scope, "asked")  # type: ignore[arg-type]
    assert not found.unknown
    return withdrawals.withdraw(hub, found.entries)


def back(hub: Hub, *numbers: str, by: str = "case") -> int:
    return withdrawals.take_back(hub, HARBOUR, numbers, by, "asked")  # type: ignore[arg-type]


def prints(folder: Path) -> dict[str, str]:
    """Hashes of all files below a folder."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def accounts(hub: Hub) -> dict[str, dict[str, int]]:
    """What was excluded by file; each account must add up."""
    found = {}
    for report in review.reports(hub):
        c = report["conservation"]
        assert c["rows_read"] == c["records"] + c["rejected"] + sum(c["excluded"].values())
        found[report["contributor"]] = c["excluded"]
    return found


def never_sent(hub: Hub, tokens: set[str], folder: Path) -> Hub:
    """A hub of the same files but for the rows of some people, as if they had never been sent."""
    copied(hub, folder, "work", "withdrawals", "ledger", "releases")
    for contributor, encoding, mark in ((HARBOUR, "cp1252", ";"), (MIRADOR, "utf-8-sig", ",")):
        rows = table(hub, contributor)
        kept = [row for row in rows if not tokens & set(row)]
        assert len(kept) < len(rows)
        with file_of(Hub(folder), contributor).open("w", encoding=encoding, newline="") as out:
            csv.writer(out, delimiter=mark).writerows(kept)
    return Hub(folder)


def test_a_person_leaves_with_all_her_records_and_comes_back(hub: Hub, tmp_path: Path) -> None:
    before, first = people(hub), str(released_version(hub))
    released, ledger = prints(hub.releases), Ledger(hub.ledger)
    case, token = known_to_both(hub)[0]
    charges, spent = len(ledger.entries()), ledger.spent()
    assert told(hub, case) == 1
    assert not (hub.work / "people").exists(), "no audit and no report is made of her any more"
    pipeline.build(hub, until="release")
    out = accounts(hub)
    assert out[HARBOUR]["withdrawn"] >= 1
    assert out[MIRADOR]["withdrawn"] >= 1, "the person withdraws, not the row"
    assert people(hub).num_rows == before.num_rows - 1
    fresh = never_sent(hub, {token}, tmp_path / "fresh")
    pipeline.build(fresh, until="link")
    assert people(hub).equals(people(fresh)), "as if she had never been sent"
    assert len(ledger.entries()) == charges + 1, "other people are a new question"
    assert ledger.spent() > spent, "what was spent stays spent"
    second = str(released_version(hub))
    assert second != first
    assert {k: v for k, v in prints(hub.releases).items() if k in released} == released
    notes = (hub.releases / second / "CHANGELOG.md").read_text("utf-8")
    assert "withdr" not in notes.casefold(), "not even that anybody did"
    own = own_profile(hub, HARBOUR)[1]
    assert own.excluded["withdrawn"] == out[HARBOUR]["withdrawn"]
    assert back(hub, case) == 1
    pipeline.build(hub, until="link")
    assert people(hub).equals(before)
    assert "withdrawn" not in accounts(hub)[HARBOUR]
    pipeline.build(hub, until="release")
    assert len(ledger.entries()) == charges + 2, "an older answer never comes back"
    assert len(withdrawals.register(hub)[0]) == 4, "told, her token with it, and both undone"


@pytest.mark.spine("a withdrawal")
def test_only_the_records_of_one_contributor(hub: Hub) -> None:
    case, token = known_to_both(hub)[0]
    n = people(hub).num_rows
    told(hub, token, by="token", scope="records")
    pipeline.build(hub, until="link")
    out = accounts(hub)
    assert "withdrawn" in out[HARBOUR]
    assert "withdrawn" not in out[MIRADOR]
    assert people(hub).num_rows == n, "mirador still tells of her"
    with pytest.raises(WithdrawalError):
        back(hub, case)  # it was told with the token
    back(hub, token, by="token")
    pipeline.build(hub, until="link")
    assert "withdrawn" not in accounts(hub)[HARBOUR]


def test_she_stays_out_when_her_file_is_gone_and_when_she_is_sent_again(hub: Hub) -> None:
    """Told by her case at harbour: mirador's record of her stays out without harbour's file."""
    case, token = known_to_both(hub)[0]
    told(hub, case)
    again = file_of(hub, HARBOUR)
    later = again.parent.with_name("2026-02-01") / "again.csv"
    later.parent.mkdir()
    rows = table(hub, HARBOUR)
    with later.open("w", encoding="cp1252", newline="") as out:
        csv.writer(out, delimiter=";").writerows([r for r in rows if r[0] in (case, rows[0][0])])
    pipeline.build(hub, until="link")
    assert accounts(hub)[HARBOUR]["withdrawn"] == 1, "the last file holds nobody but her"
    n = people(hub).num_rows
    later.unlink()
    with again.open("w", encoding="cp1252", newline="") as out:
        csv.writer(out, delimiter=";").writerows([r for r in rows if token not in r])
    pipeline.build(hub, until="link")
    out = accounts(hub)
    assert "withdrawn" not in out[HARBOUR]
    assert "withdrawn" in out[MIRADOR]
    assert people(hub).num_rows == n
    kept = list((hub.work / "harmonised" / HARBOUR).glob("*/*"))
    assert len(kept) == 1, "what was made of deleted files is deleted"


def test_a_candidate_from_before_is_never_published(hub: Hub) -> None:
    make_real(hub)
    set_policy(hub, epsilon=3.0)
    pipeline.build(hub, until="release", pay=up_to(3.0))
    old = publish.waiting(hub)
    assert sign(hub, "steward") is None
    given, _manifest = publish.statement(hub, old, "privacy_officer")
    paid = open_release(old).manifest.charge
    case = known_to_both(hub)[0][0]
    told(hub, case)
    assert withdrawals.outdated(hub) == [old.name]
    back(hub, case)  # whoever is back may be in it again
    assert withdrawals.outdated(hub) == []
    told(hub, case)
    assert withdrawals.outdated(hub) == [old.name]
    for attempt in (
        lambda: publish.statement(hub, old, "privacy_officer"),
        lambda: publish.approve(hub, old, given, key_of(hub)),
        lambda: publish.publish(hub, old),
    ):
        with pytest.raises(ReleaseError) as caught:
            attempt()
        assert caught.value.rule == "withdrawn"
    pipeline.build(hub, until="release", pay=up_to(3.0))
    new = publish.waiting(hub)
    assert new == old, "it takes the place of the one that waits"
    assert open_release(new).manifest.charge != paid
    assert withdrawals.outdated(hub) == []
    with pytest.raises(ReleaseError):
        publish.approve(hub, new, given, key_of(hub))  # what she saw was the old one
    assert sign(hub, "steward", new) is None, "and so was what the steward signed"
    assert sign(hub, "privacy_officer", new) == hub.releases / new.name


def key_of(hub: Hub):  # type: ignore[no-untyped-def]
    from ctdhub.core.keys.signing import read_key

    return read_key(hub.practice_key("privacy_officer"))


def test_a_candidate_without_her_waits_for_a_build_and_no_more(hub: Hub) -> None:
    """Somebody withdrew whom no record is about: the answer is the same, and free."""
    make_real(hub)
    set_policy(hub, epsilon=3.0)
    pipeline.build(hub, until="release", pay=up_to(3.0))
    waits, charges = publish.waiting(hub), len(Ledger(hub.ledger).entries())
    found = find_person.look_up(hub, HARBOUR, ["PRACTICE-999999"], None, "person", "asked")
    assert found.unknown == (1,)
    withdrawals.withdraw(hub, found.entries)
    assert withdrawals.outdated(hub) == [waits.name]
    pipeline.build(hub, until="release")
    assert withdrawals.outdated(hub) == []
    assert publish.waiting(hub) == waits
    assert len(Ledger(hub.ledger).entries()) == charges
    sign(hub, "steward")
    assert sign(hub, "privacy_officer") == hub.releases / waits.name


def test_a_contributor_leaves(hub: Hub) -> None:
    first = str(released_version(hub))
    released = prints(hub.releases)
    done = run(hub, "--contributor", MIRADOR, "--all", "--yes")
    assert "sources" in done.output, "the policy names its list"
    with pytest.raises(PolicyError) as caught:
        pipeline.build(hub, until="release")
    assert caught.value.rule == "policy-sources"
    policy = yaml.safe_load(hub.policy_file.read_text("utf-8"))
    lists = [name for name in policy["sources"]["lists"] if name != MIRADOR]
    set_policy(hub, sources=policy["sources"] | {"lists": lists})
    pipeline.build(hub, until="release")
    second = str(released_version(hub))
    facts = open_release(hub.releases / second).facts
    assert MIRADOR not in {c.id for c in facts.contributors}
    assert MIRADOR in {c.id for c in open_release(hub.releases / first).facts.contributors}
    assert {k: v for k, v in prints(hub.releases).items() if k in released} == released
    assert "No longer in the data: " in (hub.releases / second / "CHANGELOG.md").read_text("utf-8")
    assert Ledger(hub.ledger).entries()[-1].contributors is not None
    assert MIRADOR not in (Ledger(hub.ledger).entries()[-1].contributors or ())
    assert MIRADOR not in accounts(hub)
    entity = set(people(hub)["reporting_entity"].to_pylist())
    assert MIRADOR not in entity
    assert not (hub.work / "harmonised" / MIRADOR).exists()
    assert file_of(hub, MIRADOR).is_file(), "raw files stay until they are deleted"
    with pytest.raises(WithdrawalError):
        own_profile(hub, MIRADOR)
    done = run(hub, "--contributor", MIRADOR, "--delete-raw", "--yes")
    assert done.exit_code == 0
    assert not (hub.root / "contributions" / MIRADOR).exists()
    assert run(hub, "--list").exit_code == 0
    assert all(verify(hub.releases / v, hub.settings.approvers) == [] for v in (first, second))
    assert run(hub, "--contributor", MIRADOR, "--all", "--undo", "--yes").exit_code == 0
    assert hub.withdrawn().entries == ()


def test_tokens_made_anew_stop_the_build_until_all_are_told(hub: Hub) -> None:
    rows = table(hub, HARBOUR)
    mapping = hub.mapping(HARBOUR)
    mapping.write_text(mapping.read_text("utf-8") + "\ntokens: [LinkTokens]\n", "utf-8")

    def send(check: str) -> None:
        for file in (hub.root / "contributions" / HARBOUR).glob("*/*"):
            file.unlink()
        target = hub.root / "contributions" / HARBOUR / "2026-01-15" / f"{check}.csv"
        with target.open("w", encoding="cp1252", newline="") as out:
            writer = csv.writer(out, delimiter=";")
            writer.writerow([*rows[0], "LinkTokens"])
            writer.writerows([*row, f"z-{check * 24}"] for row in rows[1:])

    send("1")
    case, _token = known_to_both(hub)[0]
    told(hub, case)
    pipeline.build(hub, until="link")
    send("2")
    with pytest.raises(WithdrawalError) as caught:
        pipeline.build(hub, until="link")
    assert caught.value.rule == "tokens-made-anew"
    assert HARBOUR in caught.value.what
    told(hub, case)
    assert run(hub, "--contributor", HARBOUR, "--renewed").exit_code == 0
    pipeline.build(hub, until="link")
    assert accounts(hub)[HARBOUR]["withdrawn"] >= 1


@needs_fork
def test_killed_while_it_is_written(built: Hub, tmp_path: Path) -> None:
    """All of what was told together is in the register, or nothing; the next command goes on."""
    template = copied(built, tmp_path / "template")
    killed = kill(template, "withdraw", durable(points(template, "withdraw")))
    assert 4 <= len(killed) < 13
    lengths = set()
    for point in killed:
        hub = Hub(tmp_path / f"killed-{point}")
        lines = [e for e in withdrawals.register(hub)[0] if not e.because]
        lengths.add(len(lines))
        assert told(hub, "PRACTICE-000001", "PRACTICE-000002") == 2 - len(lines)
        assert len([e for e in withdrawals.register(hub)[0] if not e.because]) == 2
        assert not list((hub.root / "withdrawals").glob(".*"))
    assert lengths == {0, 2}


def test_random_withdrawals_in_a_real_hub(hub: Hub, tmp_path: Path) -> None:
    """Six builds: people are those of a hub that was never sent who withdrew."""
    draw, n = random.Random(7), people(hub).num_rows
    everybody, gone = known_to_both(hub), set()
    whole = people(hub)
    pipeline.build(hub, until="link")
    for turn in range(6):
        chosen = draw.choice(everybody[:6])
        if chosen in gone:
            back(hub, chosen[0])
            gone.remove(chosen)
        else:
            told(hub, chosen[0])
            gone.add(chosen)
        pipeline.build(hub, until="link")
        assert people(hub).num_rows == n - len({token for _case, token in gone})
        assert sum(x.get("withdrawn", 0) for x in accounts(hub).values()) >= 2 * len(gone)
        if turn == 5 and gone:
            fresh = never_sent(hub, {token for _case, token in gone}, tmp_path / str(turn))
            pipeline.build(fresh, until="link")
            assert people(hub).equals(people(fresh))
    for case, _token in gone:
        back(hub, case)
    pipeline.build(hub, until="link")
    assert people(hub).equals(whole)


def test_the_ledger_never_overspends(hub: Hub) -> None:
    """Each set of people but the last released is charged, seen before or not, or refused."""
    budget = 140.0
    set_policy(hub, epsilon=60.0, budget={"epsilon": budget})
    pipeline.build(hub, until="release")
    everybody, ledger, refused, charged = known_to_both(hub)[:4], Ledger(hub.ledger), 0, 0
    delta, released = ledger.strictest(1.0), hub.withdrawn().state
    for case, _token in [everybody[0], everybody[0], *everybody[1:], everybody[-1]]:
        charges = len(ledger.entries())
        assert told(hub, case) or back(hub, case)
        state = hub.withdrawn().state
        try:
            pipeline.build(hub, until="release")
        except HubError as error:
            assert error.rule == "budget"  # noqa: PT017
            refused += 1
            assert len(ledger.entries()) == charges
        else:
            assert len(ledger.entries()) == charges + (state != released)
            charged += state != released
            released = state
        assert ledger.guarantee(delta) <= budget + 1e-9
    assert refused
    assert charged


RUNNER = CliRunner()


def run(hub: Hub, *arguments: str, text: str = ""):  # type: ignore[no-untyped-def]
    return RUNNER.invoke(command("withdraw"), ["withdraw", str(hub.root), *arguments], input=text)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((), "usage"),
        (("--contributor", "nobody", "--all", "--yes"), "contributor"),
        (("--contributor", "../x", "--yes"), "contributor"),
        (("--contributor", HARBOUR, "--all", "--by", "case"), "usage"),
        (("--contributor", HARBOUR, "--list"), "usage"),
        (("--json",), "usage"),
        (("--contributor", HARBOUR, "--undo", "--ahead"), "usage"),
        (("--contributor", HARBOUR, "--undo", "--only-here"), "usage"),
        (("--contributor", HARBOUR, "--renewed", "--all"), "usage"),
        (("--contributor", HARBOUR, "--renewed", "--reason", "mistake"), "usage"),
        (("--contributor", HARBOUR, "--delete-raw", "--undo"), "usage"),
        (("--contributor", HARBOUR, "--delete-raw", "--yes"), "not-withdrawn"),
        (("--contributor", HARBOUR, "--file", "-"), "usage"),
        (("--contributor", HARBOUR, "--by", "token", "--yes"), "no-number"),
        (("--contributor", RIVAGE, "--by", "case", "--yes"), "no-case"),
        (("--contributor", "beacon-hotline", "--by", "token", "--yes"), "no-case"),
        (("--contributor", HARBOUR, "--yes"), "unknown-number"),
        (("--contributor", HARBOUR, "--undo", "--yes"), "not-withdrawn"),
        (("--contributor", HARBOUR, "--all", "--undo", "--yes"), "not-withdrawn"),
        (("--contributor", HARBOUR, "--yes", "--file", "ZERO"), "no-number"),
        (("--contributor", HARBOUR, "--yes", "--file", "EMPTY"), "no-number"),
        (("--contributor", HARBOUR, "--yes", "--file", "BYTES"), "no-number"),
    ],
)
def test_what_cannot_be(built: Hub, tmp_path: Path, arguments: tuple[str, ...], rule: str) -> None:
    for name, content in (("ZERO", b"0\n"), ("EMPTY", b"\n\n"), ("BYTES", b"\xff\xfe\n")):
        (tmp_path / name).write_bytes(content)
    given = [str(tmp_path / a) if (tmp_path / a).is_file() else a for a in arguments]
    done = run(built, *given, text="Zqxjk Zqxjkson\n")
    assert isinstance(done.exception, HubError)
    assert done.exception.rule == rule
    assert "Zqx" not in f"{done.exception} {done.exception.what} {done.exception.fix}"
    written = [p for p in (built.root / "withdrawals").rglob("*") if p.is_file()]
    assert not [p.name for p in written if p.stat().st_size]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--contributor", HARBOUR, "--list"), "--list cannot be used with: --contributor."),
        (("--list", "--json", "--all", "--file", "-"),
         "--list cannot be used with: --file, --all."),
        (("--contributor", HARBOUR, "--all", "--by", "case"), "--all cannot be used with: --by."),
        (("--json", "--contributor", HARBOUR), "--json may be used with --list only."),
        ((), "--contributor is missing."),
        (("--contributor", HARBOUR, "--file", "-"), "--yes is missing."),
        (("--contributor", HARBOUR, "--all", "--undo", "--yes"),
         f"{HARBOUR} did not withdraw, so there is nothing to undo."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(built: Hub, arguments: tuple[str, ...], said: str) -> None:
    done = run(built, *arguments)
    assert isinstance(done.exception, HubError)
    assert done.exception.what == said


def test_a_number_that_no_record_carries_asks_for_no_new_file(hub: Hub, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.txt"
    again = "The person's row is still in"
    for number, lies in (("Z-0", False), (known_to_both(hub)[0][0], True)):
        numbers.write_text(number, "utf-8")
        done = run(hub, "--contributor", HARBOUR, "--file", str(numbers), "--ahead", "--yes")
        assert done.exit_code == 0
        assert (again in done.output) is lies


def test_the_command_asks_for_the_number(hub: Hub) -> None:
    case, token = known_to_both(hub)[0]
    refused = run(hub, "--contributor", HARBOUR, text=f"{case}\nn\n")
    assert refused.exit_code == 1
    assert not hub.withdrawal_lines()
    assert not withdrawals.reports(hub), "who says no leaves no report"
    done = run(hub, "--contributor", HARBOUR, text=f"{case}\ny\n")
    assert done.exit_code == 0
    assert token not in done.output
    again = run(hub, "--contributor", HARBOUR, text=f"{case}\ny\n")
    assert again.exit_code == 0
    assert sum(not e.because for e in withdrawals.register(hub)[0]) == 1
    listed = run(hub, "--list")
    as_json = run(hub, "--list", "--json")
    for text in (listed.output, as_json.output):
        assert case not in text
        assert token not in text
        assert hub.withdrawn().entries[0].mark[:8] not in text
    assert {row["in_force"] for row in json.loads(as_json.output)} == {True}


def test_a_changed_register_stops_everything(hub: Hub) -> None:
    withdrawals.withdraw(hub, [Withdrawal("withdrawal", "contributor", RIVAGE)])
    withdrawals.withdraw(hub, [Withdrawal("withdrawal", "contributor", MIRADOR)])
    file = hub.root / "withdrawals" / "register.jsonl"
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    release = hub.releases / str(released_version(hub))
    for verb in (["build", str(hub.root)], ["check", str(hub.root)], ["verify", str(release)]):
        done = RUNNER.invoke(command(verb[0]), verb)
        assert isinstance(done.exception, WithdrawalError), verb
        assert done.exception.rule == "register-chain"


def test_a_lost_person_key_is_no_way_back_in(hub: Hub) -> None:
    told(hub, known_to_both(hub)[0][0])
    key = hub.root / "keys" / "person.key"
    key.unlink()
    with pytest.raises(WithdrawalError) as caught:
        pipeline.build(hub, until="link")
    assert caught.value.rule == "register-key"
    assert not key.exists(), "no new key is made in its place"


def test_an_older_ledger_is_noticed(hub: Hub, tmp_path: Path) -> None:
    told(hub, known_to_both(hub)[0][0])
    other, head = copied(hub, tmp_path / "other", "ledger"), "withdrawals-head"
    shutil.copy(hub.ledger / head, other.ledger / head)
    shutil.rmtree(hub.ledger)
    hub.ledger.mkdir()
    shutil.copy(other.ledger / head, hub.ledger / head)
    for found, rule in ((other, "ledger-withdrawals"), (hub, "ledger-gone")):
        with pytest.raises(HubError) as caught:
            withdrawals.register(found)
        assert caught.value.rule == rule
