"""What each rule makes of a row, shown on real runs of whole mappings."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
import yaml

from ctdhub.core.errors import FileError, IdentifierFound, MappingError
from ctdhub.core.i18n import language, said
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS, reason_of
from ctdhub.sensitive.mapping.file_account import Conservation
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import (
    PERPETRATORS,
    RECORDS,
    Harmonised,
    Lineage,
    check_mapping,
    harmonise,
)

KEY = bytes(range(32))


def raw_table(rows: list[dict[str, str | None]]) -> RawTable:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {n: pa.array([row.get(n) for row in rows], pa.string()) for n in names}
    numbers = pa.array(range(2, 2 + len(rows)), pa.int64())
    table = pa.table({**columns, "_row": numbers})
    return RawTable("file.csv", "ab" * 32, table, REJECTS.empty_table(), len(rows))


def run(text: str, *rows: dict[str, str | None], contributor: str = "ngo") -> Harmonised:
    mapping = parse_mapping("version: 1\n" + text, "m.yaml")
    return harmonise(raw_table(list(rows)), mapping, contributor, (2002, 2025), KEY)


def noted(entry: Lineage) -> str:
    return said(entry.note) if entry.note else ""


def one(rule: str, target: str, *texts: str | None) -> list[object]:
    """The values of one column under one rule; rejected rows give the rule they break."""
    done = run(f"columns:\n  {target}: {rule}", *({"a": text, "b": "x"} for text in texts))
    found = dict(
        zip(done.records["source_row"].to_pylist(), done.records[target].to_pylist(), strict=True)
    )
    faults = {r["source_row"]: r["rule"] for r in done.rejects.to_pylist()}
    return [found.get(i, faults.get(i)) for i in range(2, 2 + len(texts))]


def test_map_compares_trimmed_and_without_case():
    rule = '{from: a, map: {Féminin: female, m: male, x: null}, null_values: ["9"]}'
    texts = ["FÉMININ", "\u00a0m ", "X", "9", "", None, "q"]
    expected = ["female", "male", None, None, None, None, "unknown-code"]
    assert one(rule, "gender", *texts) == expected


def test_unknown_texts():
    assert one("{from: a, unknown: null}", "gender", "Female", "q") == ["female", None]
    rule = "{from: a, map: {w: female}, unknown: keep}"
    assert one(rule, "gender", "W", "Male", "q") == ["female", "male", "unknown-code"]


def test_years():
    texts = [
        "2020",
        "2020-02-03",
        "03.02.2020",
        "2020.0",
        "2020-02",
        "31.02.2020",
        "1.2.20",
        "1999",
    ]
    year, bad = 2020, "unparsable-date"
    expected = [year, year, year, year, year, bad, bad, "year-bounds"]
    assert one("{from: a, year: true}", "year_of_registration", *texts) == expected


def test_bands():
    texts = ["0", "8,9", "17", "48", "09--17", "9 – 17", "48 +", "121", "-1", "about 20"]
    expected = ["0-8", "0-8", "9-17", "48+", "9-17", "9-17", "48+", "age-bounds"]
    expected += ["unknown-code", "unknown-code"]
    assert one("{from: a, band: true}", "age_band", *texts) == expected
    rule = '{from: a, band: true, map: {14-17: "9-17"}}'
    assert one(rule, "age_band", "14-17", "20") == ["9-17", "18-20"]


def test_age_at_a_date_counts_completed_years():
    mapping = """
identifiers: {born: band}
columns:
  age_band: {from: born, band: true, at: seen}
"""
    rows = [
        {"born": "2000-06-15", "seen": "2018-06-14"},
        {"born": "2000-06-15", "seen": "15/06/2018"},
        {"born": "2000-06-15", "seen": None},
        {"born": None, "seen": "2018-06-14"},
        {"born": "2019-01-01", "seen": "2018-06-14"},
        {"born": "x", "seen": "2018-06-14"},
        {"born": "2000-06-15", "seen": "x"},
    ]
    done = run(mapping, *rows)
    assert done.records["age_band"].to_pylist() == ["9-17", "18-20", None, None]
    assert [(r["column"], r["rule"]) for r in done.rejects.to_pylist()] == [
        ("born", "age-bounds"),
        ("born", "unparsable-date"),
        ("seen", "unparsable-date"),
    ]


def test_month_first_dates():
    done = run(
        "dates: mdy\ncolumns:\n  year_of_registration: {from: a, year: true}", {"a": "12/31/2020"}
    )
    assert done.records["year_of_registration"].to_pylist() == [2020]


def test_lists():
    rule = "{from: a, split: ;, has: [Forced labour, child labour]}"
    texts = ["x; forced LABOUR ", "child labour", "forced labour camp", None]
    assert one(rule, "exploitation_forced_labour", *texts) == ["yes", "yes", None, None]
    absent = "{from: a, split: ' ', has: [DebtBondage], absent: no}"
    texts = ["Threats DebtBondage ", "Threats", None]
    assert one(absent, "means_debt_bondage", *texts) == ["yes", None, None]
    take = "{from: a, split: ;, take: last, country: true}"
    assert one(take, "citizenship", "FR; ;PE;", ";") == ["PER", None]


def test_several_columns_of_a_flag():
    mapping = "columns:\n  means_threats: {from: [a, b], map: {1: yes, 0: no}}"
    pairs = [("0", "1"), ("0", None), (None, None), ("1", "0"), (None, "0")]
    done = run(mapping, *({"a": a, "b": b} for a, b in pairs))
    assert done.records["means_threats"].to_pylist() == ["yes", "no", None, "yes", "no"]


@pytest.mark.parametrize(
    ("target", "rule", "read", "unread", "broken"),
    [
        ("gender", "map: {F: female}", "F", "hunger", "unknown-code"),
        ("means_threats", "map: {1: yes, 0: no}", "1", "hunger", "unknown-code"),
        ("citizenship", "country: true", "Perú", "Atlantis", "unknown-country"),
        ("year_of_registration", "year: true", "2019", "long ago", "unparsable-date"),
    ],
)
def test_what_cannot_be_read_in_any_of_several_columns_rejects_the_row(
    target: str, rule: str, read: str, unread: str, broken: str
):
    """Whichever column holds it, and though another says what the value is."""
    mapping = f"columns:\n  {target}: {{from: [a, b], {rule}}}"
    pairs = [(read, unread), (unread, read), (None, unread), (unread, None), (unread, unread)]
    done = run(mapping, *({"a": a, "b": b} for a, b in [*pairs, (read, read), (None, read)]))
    assert done.records["source_row"].to_pylist() == [7, 8]
    found = [(r["source_row"], r["column"], r["rule"]) for r in done.rejects.to_pylist()]
    assert found == [(row, "ba"[row in (3, 5, 6)], broken) for row in range(2, 7)]


def test_lists_of_rules_conditions_and_hub_variables():
    mapping = """
columns:
  age_band: {from: age, band: true}
  majority_status:
    - {from: majority, map: {Minor: minor, Adult: adult}}
    - {from_hub: age_band, map: {0-8: minor, 9-17: minor}, unknown: null}
    - {value: adult, when: {kind: [grown, ""]}}
"""
    rows = [
        {"age": "30", "majority": "minor", "kind": "x"},
        {"age": "10", "majority": None, "kind": "x"},
        {"age": "30", "majority": None, "kind": "Grown"},
        {"age": "30", "majority": None, "kind": None},
        {"age": "30", "majority": None, "kind": "x"},
        {"age": "30", "majority": "?", "kind": "grown"},
    ]
    done = run(mapping, *rows)
    assert done.records["majority_status"].to_pylist() == ["minor", "minor", "adult", "adult", None]
    assert done.rejects["column"].to_pylist() == ["majority"]


def test_exclusions_come_before_faults_and_the_first_counts():
    mapping = """
exclude:
  - {rule: not-a-victim, when: {status: [Not a victim]}}
  - {rule: other-matter, split: ",", unless: {kind: [sexual, labour]}}
columns:
  gender: {from: sex, map: {F: female}}
"""
    rows = [
        {"status": "NOT A VICTIM", "kind": "other", "sex": "?"},
        {"status": None, "kind": "other, more", "sex": "F"},
        {"status": None, "kind": None, "sex": "F"},
        {"status": None, "kind": "other, labour", "sex": "F"},
        {"status": None, "kind": "sexual", "sex": "?"},
    ]
    done = run(mapping, *rows)
    assert done.conservation == Conservation(5, 1, 1, {"not-a-victim": 1, "other-matter": 2})


def test_perpetrators_are_aligned_by_position():
    mapping = """
columns:
  gender: {from: sex, map: {F: female}}
perpetrators:
  split: ";"
  aligned: true
  columns:
    perpetrator_gender: {from: pg, map: {f: female, m: male}}
    perpetrator_age_band: {from: pa, band: true}
    perpetrator_exploiter: {from: exploiter, map: {1: yes}}
"""
    rows = [
        {"sex": "F", "pg": "f;m;m", "pa": "20", "exploiter": "1"},
        {"sex": "F", "pg": None, "pa": None, "exploiter": None},
        {"sex": "F", "pg": ";m", "pa": "30--38; 40", "exploiter": None},
        {"sex": "F", "pg": "q", "pa": None, "exploiter": None},
        {"sex": "q", "pg": "f", "pa": None, "exploiter": None},
    ]
    done = run(mapping, *rows)
    ids = done.records["record_id"].to_pylist()
    names = ["record_id", "perpetrator_gender", "perpetrator_age_band", "perpetrator_exploiter"]
    found = [tuple(row.values()) for row in done.perpetrators.select(names).to_pylist()]
    assert found == [
        (ids[0], "female", "0-29", "yes"),
        (ids[0], "male", None, None),
        (ids[0], "male", None, None),
        (ids[2], None, "30-38", None),
        (ids[2], "male", "39-47", None),
    ]
    assert done.rejects["source_row"].to_pylist() == [5, 6]
    assert done.perpetrators.schema == PERPETRATORS


SETS = """
columns:
  gender: {value: female}
perpetrators:
  split: ";"
  columns:
    perpetrator_gender: {from: pg, map: {female: female, male: male}}
    perpetrator_paid_money: {from: paid, map: {yes: yes, no: no}}
    perpetrator_exploiter: {from: exploiter, map: {1: yes}}
"""


def people(text: str, *rows: dict[str, str | None]) -> list[tuple[int, ...]]:
    """Row of the parent, gender, paid and exploiter of each child row."""
    done = run(text, *rows)
    row = dict(
        zip(
            done.records["record_id"].to_pylist(),
            done.records["source_row"].to_pylist(),
            strict=True,
        )
    )
    names = ["perpetrator_gender", "perpetrator_paid_money", "perpetrator_exploiter"]
    return [(row[c["record_id"]], *(c[n] for n in names)) for c in done.perpetrators.to_pylist()]


def test_what_is_not_said_to_be_aligned_pairs_nobody():
    """Sorted sets of the values of a case: once the first of them, a woman, did it all."""
    rows: list[dict[str, str | None]] = [
        {"pg": "Female;Male", "paid": "No;Yes", "exploiter": "1"},
        {"pg": "Female;Male", "paid": "Yes", "exploiter": "1"},
        {"pg": "Male", "paid": "Yes", "exploiter": "1"},
        {"pg": ";Male; ", "paid": "Yes", "exploiter": None},
        {"pg": None, "paid": "No;Yes", "exploiter": None},
        {"pg": None, "paid": None, "exploiter": "1"},
        {"pg": '["female", "male"]', "paid": "yes", "exploiter": None},
        {"pg": None, "paid": None, "exploiter": None},
    ]
    assert people(SETS, *rows) == [
        (3, "female", None, None),
        (3, "male", None, None),
        (4, "male", "yes", "yes"),
        (5, "male", "yes", None),
        (6, None, "no", None),
        (6, None, "yes", None),
        (7, None, None, "yes"),
        (8, "female", None, None),
        (8, "male", None, None),
    ]
    lineage = {entry.column: entry for entry in run(SETS, *rows).lineage}
    assert "2 values cannot be tied to one" in noted(lineage["perpetrator_gender"])
    assert "4 values cannot be tied to one" in noted(lineage["perpetrator_paid_money"])
    assert not run(SETS, *rows[2:6]).lineage[-1].lossy


def test_what_is_said_to_be_aligned_is_paired():
    aligned = SETS.replace('split: ";"', 'split: ";"\n  aligned: true')
    assert people(aligned, {"pg": "Female;Male", "paid": "No;Yes", "exploiter": "1"}) == [
        (2, "female", "no", "yes"),
        (2, "male", "yes", None),
    ]
    with pytest.raises(MappingError, match="aligned may be used only with split"):
        parse_mapping(
            "version: 1\ncolumns: {}\nperpetrators: {child: p, aligned: true, columns: {}}", "m"
        )


def test_several_faults_of_a_row_count_once_and_carry_no_value():
    mapping = """
columns:
  gender: {from: sex, map: {F: female}}
  citizenship: {from: nat, country: true}
"""
    done = run(
        mapping, {"sex": "secret-text", "nat": "Morrocco"}, {"sex": "F", "nat": "Yugoslavia"}
    )
    assert done.conservation == Conservation(2, 0, 2, {})
    assert done.rejects["rule"].to_pylist() == [
        "unknown-code",
        "unknown-country",
        "unknown-country",
    ]
    said = " ".join(done.rejects["reason"].to_pylist())
    assert "Morocco (MAR)" in said
    assert "several countries" in said
    assert "secret-text" not in said
    assert "Morrocco" not in said
    assert done.rejects.schema == REJECTS


def test_person_keys():
    mapping = "identifiers: {case_number: hash}\ncolumns:\n  gender: {from: sex, map: {F: female}}"
    rows = [{"case_number": n, "sex": "F"} for n in ("A1", " A1\u00a0", "a1", None)]
    here = run(mapping, *rows).records["person_key"].to_pylist()
    assert here[0] == here[1] != here[2]
    assert here[3] is None
    assert len(here[0]) == 64
    there = run(mapping, *rows, contributor="other").records["person_key"].to_pylist()
    assert there[0] != here[0]
    token = mapping.replace("hash", "token")
    keyed = [{"case_number": n, "sex": "F"} for n in ("ab" * 16, f" {'ab' * 16}\u200f", None)]
    assert run(token, *keyed).records["person_key"].to_pylist() == ["ab" * 16, "ab" * 16, None]


def test_a_text_that_stands_for_no_number_makes_no_person():
    mapping = "identifiers: {case_number: hash}\ncolumns:\n  gender: {from: sex, map: {F: female}}"
    nothing = ["N/A", "n/a", "unknown", "inconnu", "-", "?", "0", "000", "-99", "غير معروف"]
    some = ["99", "7", "A\u06f7", "A7", "e\u0301", "\u00e9"]
    rows = [{"case_number": n, "sex": "F"} for n in (*nothing, *some)]
    keys = run(mapping, *rows).records["person_key"].to_pylist()
    assert keys[: len(nothing)] == [None] * len(nothing)
    assert None not in keys[len(nothing) :]
    assert keys[-2] == keys[-1]


@pytest.mark.parametrize("text", ["12", "Zqxjk Zqxjkson the Third"])
def test_a_token_that_is_no_keyed_code_is_refused(text: str):
    mapping = "identifiers: {link: token}\ncolumns:\n  gender: {from: sex, map: {F: female}}"
    with pytest.raises(FileError) as caught:
        run(mapping, {"link": text, "sex": "F"})
    assert caught.value.rule == "weak-token"
    assert text not in f"{caught.value} {caught.value.what} {caught.value.fix}"


def test_keys_stay_with_their_rows_when_rows_drop_out():
    mapping = "identifiers: {case_number: token}\ncolumns:\n  gender: {from: sex, map: {F: female}}"
    rows = [{"case_number": f"{i:016x}", "sex": "F" if i % 2 else "q"} for i in range(6)]
    done = run(mapping, *rows)
    assert done.records["person_key"].to_pylist() == [f"{i:016x}" for i in (1, 3, 5)]


def test_undecided_identifiers_are_refused_with_the_lines_to_add():
    mapping = "columns:\n  gender: {from: sex, map: {F: female}}"
    mail, phone = "email", "Tel. #1: home"
    rows = [
        {"sex": "F", mail: f"reader{i}@example.org", phone: f"+33 6 12 34 56 {i}"}
        for i in range(10, 30)
    ]
    with pytest.raises(IdentifierFound) as caught:
        run(mapping, *rows)
    assert "reader" not in str(caught.value)
    (lines,) = re.findall(r"identifiers: \{.*?\}", caught.value.fix)
    assert yaml.safe_load(lines)["identifiers"].keys() == {mail, phone}
    done = run(f"{lines}\n{mapping}", *rows)
    assert done.conservation.records == 20


def test_missing_columns():
    mapping = "columns:\n  gender: {from: [sex, gender], map: {F: female}}"
    with pytest.raises(FileError, match="gender"):
        run(mapping, {"Genre": "F"})
    done = run(mapping, {"SEX": "F"})
    assert done.records["gender"].to_pylist() == ["female"], "the column was renamed"
    done = run("optional: [sex, gender]\n" + mapping, {"Genre": "F"})
    assert done.records["gender"].to_pylist() == [None]


def test_records_have_the_schema_and_unique_ids():
    done = run("columns:\n  gender: {value: female}", *({"a": "x"} for _ in range(50)))
    assert done.records.schema == RECORDS
    assert len(set(done.records["record_id"].to_pylist())) == 50
    again = run("columns:\n  gender: {value: female}", *({"a": "x"} for _ in range(50)))
    assert again.records.equals(done.records)


def test_lineage_counts_and_names_losses():
    mapping = """
columns:
  citizenship: {from: nat, country: true, split: ";", take: first}
  source_type: {value: hotline, lossy: calls and letters are one}
  gender: {from: sex, map: {F: female}, unknown: null}
  means_threats: {from: t, map: {1: yes}}
"""
    done = run(
        mapping, {"nat": "Kosovo", "sex": "?", "t": "1"}, {"nat": None, "sex": "F", "t": None}
    )
    by_name = {entry.column: entry for entry in done.lineage}
    assert (by_name["citizenship"].mapped, by_name["citizenship"].empty) == (1, 1)
    assert "counted under another country" in noted(by_name["citizenship"])
    assert noted(by_name["source_type"]) == "calls and letters are one"
    assert by_name["gender"].lossy
    assert not by_name["means_threats"].lossy
    assert by_name["means_threats"].sources == ("t",)


def test_a_mapping_tests_itself():
    text = """version: 1
exclude: [{rule: gone, when: {s: x}}]
columns:
  gender: {from: sex, map: {F: female}}
tests:
  - {row: {sex: F}, gives: {gender: female}}
  - {row: {sex: F}, gives: {gender: male}}
  - {row: {sex: q}, rejected: gender}
  - {row: {sex: q}, gives: {gender: null}}
  - {row: {sex: F, s: x}, excluded: gone}
  - {row: {sex: F}, excluded: gone}
"""
    with pytest.raises(MappingError) as caught:
        check_mapping(parse_mapping(text, "m.yaml"))
    said = str(caught.value)
    for n, failed in ((1, False), (2, True), (3, False), (4, True), (5, False), (6, True)):
        assert (f"test {n}:" in said) == failed
    assert "expected male, got female" in said
    with pytest.raises(MappingError, match="tests fail"):
        harmonise(
            raw_table([{"sex": "F", "s": None}]), parse_mapping(text, "m"), "c", (2002, 2025), KEY
        )


def test_the_account_must_add_up():
    with pytest.raises(ValueError, match="accounted"):
        Conservation(3, 1, 1, {"a": 0})


LISTS = """
columns:
  exploitation_forced_labour: {from: t, split: ";", has: [Forced labour]RULE}
  exploitation_sexual: {from: t, split: ";", has: [Sexual exploitation], absent: no}
"""


def test_elements_that_no_rule_knows_are_counted():
    rows = [
        {"t": "Forced labour;singing; dancing", "b": "x"},
        {"t": "forced\u00a0 labour\u200b;SEXUAL exploitation", "b": "x"},
        {"t": "singing", "b": "x"},
        {"t": "", "b": "x"},
    ]
    done = run(LISTS.replace("RULE", ""), *rows)
    assert done.records["exploitation_forced_labour"].to_pylist() == ["yes", "yes", None, None]
    assert [entry.ignored for entry in done.lineage] == [3, 3]
    assert all(entry.lossy and "3" in noted(entry) for entry in done.lineage)
    assert "singing" not in str(done.lineage)
    assert run(LISTS.replace("RULE", ""), *rows[1:2]).lineage[0].ignored == 0


def test_elements_that_no_rule_knows_reject_the_row_where_the_mapping_says_so():
    rows = [{"t": "Forced labour;Sexual exploitation"}, {"t": "Forced labour;singing"}, {"t": None}]
    done = run(LISTS.replace("RULE", ", unknown: reject"), *({**r, "b": "x"} for r in rows))
    assert [(r["source_row"], r["rule"]) for r in done.rejects.to_pylist()] == [(3, "unknown-code")]
    assert done.records.num_rows == 2
    assert "singing" not in str(done.rejects.to_pylist())


def test_lines_in_a_cell_are_elements():
    rule = '{from: a, split: "\\n", has: [Forced labour]}'
    texts = ["Forced labour\nSexual exploitation", "Sexual exploitation\r\nforced labour", "labour"]
    assert one(rule, "exploitation_forced_labour", *texts) == ["yes", "yes", None]


def test_numbers_of_other_scripts_and_marks_nobody_sees():
    years = ["٢٠٢٠", "２０２０", "\u200f2020\u200e", "٢٠٢٠-٠٢-٠٣", "1e5", "43831"]
    bad = "unparsable-date"
    assert one("{from: a, year: true}", "year_of_registration", *years) == [2020] * 4 + [bad] * 2
    ages = ["١٧", "17 ans", "-5", "150", "1e5", "1,250", "017"]
    bad = "unknown-code"
    found = one("{from: a, band: true}", "age_band", *ages)
    assert found == ["9-17", bad, bad, "age-bounds", bad, bad, "9-17"]


def test_a_year_from_a_code_is_a_fault_and_no_crash():
    mapping = "columns:\n  gender: {from: s, map: {F: female}}\n"
    mapping += "  year_of_registration: {from_hub: gender}"
    done = run(mapping, {"s": "F", "b": "x"})
    assert done.rejects["rule"].to_pylist() == ["unparsable-date"]


def test_without_a_header_row_nobody_is_named():
    mapping = "columns:\n  gender: {from: sex, map: {F: female}}"
    with pytest.raises(FileError) as caught:
        run(mapping, *({"Zqxjk Zqxjkson": f"07000{i}0000", "F": "M"} for i in range(9)))
    assert caught.value.rule == "missing-columns"
    assert "Zqxjk" not in f"{caught.value} {caught.value.fix}"


KINDS = """
empty: ["", Unknown]
columns:
  exploitation_sexual: {from: t, split: ";", has: [Sexual exploitation], absent: noRULE}
  exploitation_forced_labour: {from: t, split: ";", has: [Forced labour], absent: no}
"""


def kinds(rule: str, *texts: str | None, mapping: str = KINDS) -> list[tuple[str | None, ...]]:
    """Sexual exploitation and forced labour as each text makes them."""
    done = run(mapping.replace("RULE", rule), *({"t": text, "b": "x"} for text in texts))
    flags = ("exploitation_sexual", "exploitation_forced_labour")
    return list(zip(*(done.records[flag].to_pylist() for flag in flags), strict=True))


def test_an_unknown_text_never_becomes_no():
    """In another language, new, in brackets: what no rule knows leaves the flags unknown."""
    assert kinds("", "Sexual exploitation", "Exploitation sexuelle", "Forced labour") == [
        ("yes", "no"), (None, None), ("no", "yes"),
    ]  # fmt: skip
    texts = ["استغلال جنسي", "Explotación sexual", "cyber scams", "(Forced labour, x)"]
    assert set(kinds("", *texts)) == {(None, None)}
    mixed = ["Forced labour; cyber scams", "Sexual exploitation;;forced  LABOUR", "Unknown", None]
    assert kinds("", *mixed) == [(None, "yes"), ("yes", "yes"), (None, None), (None, None)]


def test_a_list_that_also_says_unknown_makes_nothing_absent():
    """Whatever names the text: the blanks of the file, or those of the rule."""
    texts = ["Forced labour;Unknown", "Unknown;cyber scams", "Sexual exploitation; unknown"]
    assert kinds("", *texts) == [(None, "yes"), (None, None), ("yes", None)]
    assert kinds(", null_values: [refused]", "Forced labour;refused") == [(None, "yes")]


def test_what_an_unknown_text_does_can_be_written_out():
    """Each rule speaks for its own flag; texts that are named are known to the whole column."""
    text = "cyber scams"
    assert kinds(", known: [Cyber Scams]", text, "domestic") == [("no", "no"), (None, None)]
    assert kinds(", unknown: pass", text) == [("no", None)]
    assert kinds(", unknown: null", text) == [(None, None)]
    done = run(KINDS.replace("RULE", ", unknown: reject"), {"t": text, "b": "x"})
    assert done.rejects["rule"].to_pylist() == ["unknown-code"]
    assert done.records.num_rows == 0


SCAMS = {
    "fr": "Criminalité forcée (escroquerie en ligne)",
    "es": "Criminalidad forzada (estafas en línea)",
    "ar": "الإجرام القسري (الاحتيال عبر الإنترنت)",
    "en": "Online scam compound",
}


@pytest.mark.parametrize("scam", SCAMS.values(), ids=SCAMS)
def test_five_hundred_people_of_a_new_form_end_in_no_explicit_no(scam: str):
    """500 of 505 people have what no rule knows: once they were exploited in no way."""
    texts = [*["Sexual exploitation"] * 3, *["Forced labour"] * 2, *[scam] * 500]
    found = kinds("", *texts)
    assert found[:5] == [("yes", "no")] * 3 + [("no", "yes")] * 2
    assert found[5:] == [(None, None)] * 500
    passed = kinds(", unknown: pass", *texts)
    assert passed[5:] == [("no", None)] * 500  # written out, and for this rule alone
    rows = [{"t": text, "b": "x"} for text in texts]
    done = run(KINDS.replace("RULE", ", unknown: reject"), *rows)
    assert done.records.num_rows == 5
    assert set(done.rejects["rule"].to_pylist()) == {"unknown-code"}
    assert done.rejects.num_rows == 500
    assert kinds(f', known: ["{scam}"]', *texts)[5:] == [("no", "no")] * 500
    lineage = run(KINDS.replace("RULE", ""), *rows).lineage
    assert [entry.ignored for entry in lineage] == [500, 500]
    assert scam not in str(lineage)


def test_a_list_has_no_codes_to_keep():
    with pytest.raises(MappingError, match="null, reject or pass"):
        kinds(", unknown: keep", "x")


def test_a_text_is_known_where_any_rule_of_its_column_knows_it():
    """Another way to take the cell apart counts, and a condition; another column does not."""
    more = (
        KINDS
        + """
  exploitation_other: {from: t, map: {Begging: "yes"}, unknown: null}
  abduction: {from: b, has: [Kidnapped], when: {t: [Marriage]}}
"""
    )
    assert set(kinds("", "Begging", "begging; Marriage", mapping=more)) == {("no", "no")}
    assert kinds("", "Kidnapped", mapping=more) == [(None, None)]


def test_an_unknown_text_in_one_of_several_columns_leaves_the_flag_unknown():
    mapping = "columns:\n  means_threats: {from: [a, b], has: [Threats], absent: no}"
    rows = [("hunger", "Debt"), ("Debt", "hunger"), ("hunger", "Threats"), ("Debt", None)]
    mapping += "\n  means_debt_bondage: {from: [a, b], has: [Debt]}"
    done = run(mapping, *({"a": a, "b": b} for a, b in rows))
    assert done.records["means_threats"].to_pylist() == [None, None, "yes", "no"]


def test_the_lineage_counts_what_never_became_no():
    done = run(KINDS.replace("RULE", ""), *({"t": t, "b": "x"} for t in ("a;b", "Forced labour")))
    for entry in done.lineage:
        assert (entry.ignored, entry.mapped) == (2, 1)
        assert noted(entry) == "2 texts are known to no rule: they never become “no”"
        assert "some rule knows" in said(entry.rule)
    passed = run(KINDS.replace("RULE", ", unknown: pass"), {"t": "a;b", "b": "x"}).lineage[0]
    assert "no where it says anything else" in said(passed.rule)
    assert "skipped" in noted(passed)


@pytest.mark.parametrize("extra", ["known: [x]", "unknown: pass"])
def test_what_goes_only_with_has(extra: str):
    with pytest.raises(MappingError, match="may be used only with has"):
        parse_mapping(
            f"version: 1\ncolumns:\n  gender: {{from: s, map: {{F: female}}, {extra}}}", "m"
        )


def test_a_reason_is_english_in_the_table_and_can_be_said_in_every_language():
    text = "columns:\n  citizenship: {from: a, country: true}\n  gender: {from: b}"
    row = {"a": "Germani", "b": "nonsense"}
    with language("fr"):
        [country, gender] = run(text, row).rejects.sort_by("column").to_pylist()
    assert country["reason"].endswith("The nearest name is Germany (DEU).")
    assert gender["reason"] == "The value in b is not a code defined in the mapping or in gender."
    for lang, name in (("en", "Germany"), ("fr", "Allemagne"), ("es", "Alemania")):
        with language(lang):
            assert f"{name} (DEU)" in said(reason_of(country["fields"]))
            assert "Germani." not in said(reason_of(country["fields"]))
    with language("en"):
        assert said(reason_of(country["fields"])) == country["reason"]
    for reject in (country, gender):
        assert 'Germani"' not in reject["fields"]
        assert "nonsense" not in reject["fields"]
