"""Each alarm rings for a delivery of its kind, and does not for one beside it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from ctdhub.core.i18n import LANGUAGES, language, said
from ctdhub.sensitive.alarms.checks import Alarm, AlarmLimits, ReadDelivery, ring
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.linkage.deliveries import births_apart
from ctdhub.sensitive.mapping.mapping import ALARMS, STOPPING, Accepted
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

MAPPING = """
version: 1
empty: ["", "-"]
identifiers: {case: hash}
exclude:
  - {rule: elsewhere, when: {coe: [OUT]}}
columns:
  year_of_registration: {from: date, year: true}
  gender: {from: sex, map: {F: female, M: male}, unknown: null}
  age_band: {from: age, band: true}
  citizenship: {from: nat, country: true}
  country_of_exploitation: {from: coe, country: true}
  exploitation_sexual: {from: type, split: ";", has: [sexual], absent: no}
  exploitation_forced_labour: {from: type, split: ";", has: [labour], absent: no}
  exploitation_other: {from: type, split: ";", has: [other], absent: no}
  labour_begging: {from: type, split: ";", has: [begging]}
perpetrators:
  split: ";"
  aligned: true
  columns: {perpetrator_gender: {from: p, map: {F: female, M: male}}}
"""


@dataclass
class Made:
    """A made-up file of so many rows; nothing in it rings an alarm, unless a column is changed."""

    rows: int = 60
    change: dict[str, object] = field(default_factory=dict)

    def cells(self, i: int) -> dict[str, str]:
        plain = {
            "case": f"c{i}",
            "date": f"{2018 + i % 5}-0{1 + i % 9}-11",
            "sex": "FM"[i % 2],
            "age": str(10 + i % 30),
            "nat": ("FRA", "ALB", "-")[i % 3],
            "coe": ("ITA", "DEU")[i % 2],
            "type": ("sexual", "labour", "other; labour")[i % 3],
            "p": ("M;F", "F;M", "M")[i % 3],
        }
        for column, how in self.change.items():
            plain[column] = str(how(i)) if callable(how) else str(how)
        return {c: v for c, v in plain.items() if v != "absent"}


@cache
def harmonised(content: str, mapping: str) -> Harmonised:
    """What a file becomes, once: many tests begin with the same one."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "made-up.csv"
        file.write_text(content, "utf-8")
        rules = parse_mapping(mapping, "m.yaml")
        return harmonise(read_table(file, rules.read), rules, "one", (2000, 2030), b"k" * 16)


def delivered(
    made: Made, date: str = "2026-01-15", accept: str = "", mapping: str = MAPPING
) -> ReadDelivery:
    cells = [made.cells(i) for i in range(made.rows)]
    head = list(cells[0])
    content = "\n".join([",".join(head), *(",".join(c.values()) for c in cells)])
    done = harmonised(content, mapping)
    account = done.conservation
    rules = parse_mapping(mapping + (f"accept: [{accept}]\n" if accept else ""), "m.yaml")
    return ReadDelivery(
        "one", date, rules, (done.texts,), done.records, account.rows_read, account.rejected,
        births_apart(done.records, done.births),
    )  # fmt: skip


def rung(*deliveries: ReadDelivery) -> list[Alarm]:
    return list(ring(deliveries, AlarmLimits()))


def names(*deliveries: ReadDelivery) -> list[str]:
    return [alarm.entry for alarm in rung(*deliveries) if not alarm.accepted]


def some(share: int, text: str, other: str) -> object:
    """A text in one of so many rows."""
    return lambda i: text if i % share == 0 else other


ALONE: dict[str, tuple[Made, Made]] = {
    "unknown-texts: sex": (
        Made(change={"sex": lambda i: "?" if i < 3 else "FM"[i % 2]}),
        Made(change={"sex": lambda i: "?" if i < 2 else "FM"[i % 2]}),
    ),
    "all-under-18": (Made(change={"age": "9"}), Made(change={"age": some(60, "18", "9")})),
    "none-under-18": (Made(change={"age": "40"}), Made(change={"age": some(60, "17", "40")})),
    "one-gender": (Made(change={"sex": "F"}), Made(change={"sex": some(60, "M", "F")})),
    "one-citizenship": (Made(change={"nat": "FRA"}), Made(change={"nat": some(60, "ALB", "FRA")})),
    "one-country": (Made(change={"coe": "ITA"}), Made(change={"coe": some(60, "DEU", "ITA")})),
    "year-jump: 2019": (
        Made(200, {"date": lambda i: 2018 + i if i < 5 else 2019}),
        Made(200, {"date": lambda i: 2018 + i if i < 5 else 2018 + i % 3}),
    ),
    "all-first-of-january: date": (
        Made(change={"date": lambda i: f"{2018 + i % 5}-01-01"}),
        Made(change={"date": lambda i: f"{2018 + i % 5}-01-0{1 + (i == 7)}"}),
    ),
    "never-yes: exploitation_other": (
        Made(600, {"type": lambda i: ("sexual", "labour")[i % 2]}),
        Made(600, {"type": lambda i: "other" if i == 1 else ("sexual", "labour")[i % 2]}),
    ),
    "no-exploitation": (
        Made(100, {"type": lambda i: "-" if i < 10 else "sexual"}),
        Made(100, {"type": lambda i: "-" if i < 9 else "sexual"}),
    ),
    "contradiction: exploitation_forced_labour": (
        Made(change={"type": some(20, "begging", "labour")}),
        Made(change={"type": some(20, "begging; labour", "labour")}),
    ),
    "many-rejects": (
        Made(100, {"date": lambda i: 1950 if i < 5 else 2018 + i % 5}),
        Made(100, {"date": lambda i: 1950 if i < 4 else 2018 + i % 5}),
    ),
    "many-excluded": (
        Made(400, {"coe": lambda i: "OUT" if i % 5 else ("ITA", "DEU")[i // 5 % 2]}),
        Made(400, {"coe": lambda i: "OUT" if i % 5 < 2 else ("ITA", "DEU")[i // 5 % 2]}),
    ),
    "key-two-genders": (
        Made(change={"case": lambda i: f"c{max(i, 1)}"}),
        Made(change={"case": lambda i: f"c{i if i else 2}"}),
    ),
    "key-two-births": (
        Made(change={"case": lambda i: f"c{i or 2}", "age": lambda i: 50 if i == 2 else 17}),
        Made(change={"case": lambda i: f"c{i or 2}", "age": lambda i: 19 if i == 2 else 17}),
    ),
    "many-records-a-key": (
        Made(change={"case": lambda i: f"c{i // 4 * 2 + i % 2}"}),
        Made(change={"case": lambda i: f"c{i if i > 20 else i % 2}"}),
    ),
    "sorted-lists: p": (
        Made(change={"p": "F;M"}),
        Made(change={"p": lambda i: "M;F" if i == 3 else "F;M"}),
    ),
    "ids-rewritten: case": (
        Made(change={"case": lambda i: f"{i + 10}.0" if i < 3 else i + 10}),
        Made(change={"case": lambda i: f"{i + 10}.5" if i < 3 else i + 10}),
    ),
}


@pytest.mark.parametrize("entry", ALONE)
def test_an_alarm_rings_and_does_not_for_the_file_beside_it(entry: str) -> None:
    ringing, silent = ALONE[entry]
    assert entry in names(delivered(ringing))
    assert entry not in names(delivered(silent))


def test_an_ordinary_file_is_silent_and_so_is_a_tiny_one() -> None:
    assert names(delivered(Made())) == []
    tiny = Made(8, {"sex": "F", "age": "40", "nat": "FRA", "coe": "ITA", "type": "-", "p": "F;M"})
    assert names(delivered(tiny)) == []


def test_a_rare_form_without_anybody_rings_where_a_yes_may_hide() -> None:
    mapping = MAPPING.replace("exploitation_other:", "exploitation_organ_removal:")
    kinds = Made(600, {"type": lambda i: ("sexual", "labour")[i % 2]})
    assert names(delivered(kinds, mapping=mapping)) == []
    kinds.change["type"] = lambda i: "rein" if i == 1 else ("sexual", "labour")[i % 2]
    found = names(delivered(kinds, mapping=mapping))
    assert found == ["never-yes: exploitation_organ_removal"]


@pytest.mark.parametrize("flag", ["means_threats", "labour_domestic_work", "recruiter_family"])
def test_a_column_answered_yes_or_no_without_a_yes_rings_whatever_silence_means(flag: str) -> None:
    answers = f"columns:\n  {flag}: {{from: t, map: {{0: 'no', 1: 'yes', -1: null}}}}\n"
    mapping = MAPPING.replace("columns:\n", answers, 1)
    thrown_away = Made(80, {"t": lambda i: "-1" if i % 4 == 0 else "0"})
    found = names(delivered(thrown_away, mapping=mapping))
    assert found == [f"never-yes: {flag}"]
    some_yes = Made(80, {"t": lambda i: "1" if i == 3 else "0"})
    assert f"never-yes: {flag}" not in names(delivered(some_yes, mapping=mapping))


def test_a_record_rings_that_says_otherwise_than_what_follows() -> None:
    ages = MAPPING.replace(
        "columns:\n", "columns:\n  majority_status: {from: m, map: {maj: adult, min: minor}}\n", 1
    )
    slip = Made(change={"m": lambda i: "min" if 10 + i % 30 < 18 and i else "maj"})
    (alarm,) = rung(delivered(slip, mapping=ages))
    assert (alarm.entry, alarm.n, alarm.of) == ("contradiction: majority_status", 1, 60)
    blank = Made(change={"m": lambda i: "-" if i else "min"})
    assert names(delivered(blank, mapping=ages)) == [], "what is not recorded contradicts nothing"
    sector = MAPPING.replace("exploitation_forced_labour:", "exploitation_organ_removal:")
    lost = Made(change={"type": some(20, "begging", "sexual")})
    found = names(delivered(lost, mapping=sector))
    assert found == ["contradiction: exploitation_forced_labour"], "its people are in no form"
    accept = '"contradiction: exploitation_forced_labour"'
    assert names(delivered(lost, mapping=sector, accept=accept)) == []


def test_what_the_agreement_says_of_a_contributor_is_what_its_records_say() -> None:
    mapping = MAPPING.replace("columns:\n", "columns:\n  source_type: {value: hotline}\n", 1)
    sent = delivered(Made(), mapping=mapping)
    assert names(replace(sent, kind="hotline")) == []
    assert names(replace(sent, kind="government")) == ["contradiction: source_type"]


def test_the_first_bundle_after_plain_files_brings_the_numbers_of_rows() -> None:
    before = delivered(Made(), "2026-01-01")
    now = delivered(Made(change={"row_in_file": lambda i: i + 2}), "2026-02-01")
    assert not [entry for entry in names(before, now) if entry.startswith("new-column")]


def test_a_constant_was_decided_in_writing() -> None:
    mapping = MAPPING.replace("{from: coe, country: true}", "{value: ITA}")
    assert names(delivered(Made(), mapping=mapping)) == []


AGAINST: dict[str, tuple[Made, Made, Made]] = {
    "new-texts: sex": (
        Made(change={"sex": lambda i: "?" if i < 5 else "F"}),
        Made(change={"sex": lambda i: "neu" if i < 5 else "F"}),
        Made(change={"sex": lambda i: "?" if i < 9 else "F"}),
    ),
    "new-column: genre": (
        Made(),
        Made(change={"genre": "x"}),
        Made(change={"sex": "F"}),
    ),
    "recorded-fell: age_band": (
        Made(),
        Made(change={"age": lambda i: "20" if i % 2 else "-"}),
        Made(change={"age": lambda i: "20" if i % 5 else "-"}),
    ),
    "value-moved: gender": (
        Made(),
        Made(change={"sex": lambda i: "F" if i % 10 else "M"}),
        Made(change={"sex": lambda i: "F" if i % 3 else "M"}),
    ),
    "nobody-again": (
        Made(),
        Made(change={"case": lambda i: f"C-{i}"}),
        Made(change={"case": lambda i: f"C-{i}" if i else "c0"}),
    ),
    "most-left": (
        Made(),
        Made(change={"case": lambda i: f"c{i + 31}"}),
        Made(change={"case": lambda i: f"c{i + 30}"}),
    ),
}


@pytest.mark.parametrize("entry", AGAINST)
def test_a_delivery_is_compared_with_the_one_before(entry: str) -> None:
    before, ringing, silent = (
        delivered(made, f"2026-0{n}-01") for n, made in enumerate(AGAINST[entry], 1)
    )
    assert entry not in names(before)
    assert entry in names(before, ringing)
    assert entry not in names(before, silent)


WRITTEN: dict[str, tuple[object, object, bool]] = {
    "as decimals": (lambda i: i + 10, lambda i: f"{i + 10}.0", True),
    "without decimals": (lambda i: f"{i + 10}.00", lambda i: i + 10, True),
    "as powers": (lambda i: (i + 10) * 10**14, lambda i: f"{(i + 10) / 10:g}E+15", True),
    "without zeros": (lambda i: f"{i + 1:04d}", lambda i: i + 1, True),
    "with zeros": (lambda i: i + 1, lambda i: f"{i + 1:04d}", True),
    "as before": (lambda i: f"{i + 1:04d}", lambda i: f"{i + 1:04d}", False),
    "letters": (lambda i: f"B{i}.0", lambda i: f"B{i}", False),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_numbers_that_a_spreadsheet_wrote_anew(way: str) -> None:
    first, second, rings = WRITTEN[way]
    was = delivered(Made(change={"case": first}), "2026-01-01")
    now = delivered(Made(change={"case": second}), "2026-02-01")
    assert "ids-rewritten: case" not in names(was)
    assert ("ids-rewritten: case" in names(was, now)) == rings
    text = " ".join(str(alarm.as_json()) + said(alarm.what()) for alarm in rung(was, now))
    assert "c1" not in text, "no number of a person is named"
    assert "0017 for 17" in text if rings else "0017" not in text


def test_additions_may_be_of_longer_numbers_and_leave_nobody_out() -> None:
    first = delivered(Made(change={"case": lambda i: f"{i + 1:04d}"}), "2026-01-01")
    later = delivered(Made(change={"case": lambda i: i + 1000}), "2026-02-01")
    few = delivered(Made(change={"case": lambda i: f"{i + 51:04d}"}), "2026-02-01")

    def found(now: ReadDelivery, cumulative: bool) -> list[str]:
        return [a.entry for a in ring([first, now], AlarmLimits(), cumulative=cumulative)]

    assert found(later, cumulative=False) == ["nobody-again"]
    assert found(later, cumulative=True) == ["ids-rewritten: case", "nobody-again"]
    assert found(few, cumulative=False) == []
    assert found(few, cumulative=True) == ["most-left"]


SWAPPED = MAPPING.replace("{F: female, M: male}", "{F: male, M: female}", 1)


@pytest.mark.parametrize("fixes", [False, True])
def test_codes_that_change_their_meaning_ring(fixes: bool) -> None:
    """The file says what it said before; the mapping reads it the other way round."""
    women = Made(change={"sex": lambda i: "F" if i % 3 else "M"})
    was, now, again = (
        delivered(women, "2026-01-01"),
        delivered(women, "2026-02-01", mapping=SWAPPED),
        delivered(women, "2026-03-01"),
    )
    assert "value-moved: gender" not in names(was, again)
    days = frozenset({"2026-02-01"}) if fixes else frozenset[str]()
    found = ring([was, now, again], AlarmLimits(), corrections=days)
    moved = [one for one in found if one.name == "value-moved"]
    if fixes:
        assert not moved, "somebody chose who is in it; and the next is compared with the first"
        return
    assert [(one.about, one.delivery) for one in moved] == [("gender", "2026-02-01")]
    assert {moved[0].n, moved[0].before_n} == {20, 40}
    assert "40" in said(moved[0].what())
    assert "female" not in said(moved[0].what())


BUILT: dict[str, tuple[object, object, bool]] = {
    "goes on": (lambda i: 100 + i, lambda i: 9000 + i, False),
    "with its year": (lambda i: f"2025/{i + 1:03d}", lambda i: f"2026/{i + 1:03d}", False),
    "with letters": (lambda i: f"KB-{i}", lambda i: f"kc-{i + 900}", False),
    "zeros": (lambda i: 100 + i, lambda i: f"{100 + i:06d}", True),
    "another mark": (lambda i: f"2025/{i}", lambda i: f"2025-{i}", True),
    "Arabic letters": (lambda i: f"ق-{i}", lambda i: f"{i}-ق", True),
}


@pytest.mark.parametrize("way", BUILT)
def test_honest_additions_are_silent(way: str) -> None:
    first, second, rings = BUILT[way]
    was = delivered(Made(change={"case": first}), "2026-01-01")
    now = delivered(Made(change={"case": second}), "2026-02-01")
    for cumulative in (True, False):
        found = ring([was, now], AlarmLimits(), cumulative=cumulative)
        again = "nobody-again" in [alarm.name for alarm in found]
        assert again == (cumulative or rings)


@pytest.mark.parametrize("entry", AGAINST)
def test_what_rang_does_not_become_usual_by_being_sent_again(entry: str) -> None:
    before, ringing, _silent = AGAINST[entry]
    usual = delivered(before, "2026-01-01")

    def newest(accept: str = "") -> list[str]:
        sent = [delivered(ringing, day, accept) for day in ("2026-02-01", "2026-03-01")]
        found = ring([usual, *sent], AlarmLimits(), newest=True)
        return [alarm.entry for alarm in found if not alarm.accepted]

    assert entry in newest()
    accepted = f'{{alarm: "{entry}", delivery: "2026-02-01"}}'
    assert entry not in newest(accepted), "what was accepted once is usual from then on"


def test_every_alarm_is_tested() -> None:
    tested = {entry.partition(":")[0] for entry in (*ALONE, *AGAINST)}
    assert tested == set(ALARMS)
    assert set(ALARMS) >= STOPPING


def test_accepting_one_column_does_not_accept_the_next() -> None:
    both = Made(change={"sex": "?", "type": "??"})
    found = delivered(both, accept='"unknown-texts: sex", no-exploitation')
    assert names(found) == ["unknown-texts: type"]


def test_accepting_a_text_accepts_no_other_text() -> None:
    made = Made(change={"sex": lambda i: ("F", "M", "?", "neu")[i % 4]})
    accept = '{text: "?", column: sex}'
    alarm = next(a for a in rung(delivered(made, accept=accept)) if a.stops)
    assert (alarm.entry, alarm.n) == ("unknown-texts: sex", 15)
    accept += ", {text: NEU, column: Sex}"
    assert names(delivered(made, accept=accept)) == []


def test_accepting_for_a_delivery_ends_with_it() -> None:
    accept = '{alarm: one-gender, delivery: "2026-01-15", reason: women only}'
    women = Made(change={"sex": "F"})
    first = delivered(women, "2026-01-15", accept)
    second = delivered(women, "2026-02-15", accept)
    found = [(a.delivery, a.accepted, a.reason) for a in rung(first, second)]
    assert found == [("2026-01-15", True, "women only"), ("2026-02-15", False, "")]


def test_every_alarm_has_words_in_every_language() -> None:
    about = {"": "", "column": "Sexo", "variable": "gender", "year": "2020"}
    for name, kind in ALARMS.items():
        alarm = Alarm(name, about[kind], "one", "2026-01-15", 3, 4000, 5, 6)
        texts = set()
        for code in LANGUAGES:
            with language(code):
                texts.add(said(alarm.what()))
        assert len(texts) == len(LANGUAGES), name
        assert Alarm(**alarm.as_json()) == alarm


@pytest.mark.parametrize("column", ["sex", 'sex "at birth"', "Ünïon: ja/nein"])
def test_the_proposed_entry_accepts_this_delivery_alone(column: str) -> None:
    """A column of any name: the entry is YAML, and a message proposes it."""
    alarm = Alarm("unknown-texts", column, "one", "2026-01-15", 5, 9)
    [entry] = (Accepted.model_validate(e) for e in yaml.safe_load(f"[{alarm.accepting}]"))
    assert alarm.decided([entry]).accepted
    assert not replace(alarm, delivery="2026-02-15").decided([entry]).accepted
    assert not replace(alarm, about="other").decided([entry]).accepted
