"""Code lists of the built-in mappings beside those that the publishers' code books state."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from ctdhub.schema.crosswalk import load_crosswalk
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.builtin import builtin, names
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

DOCS = Path(__file__).resolve().parents[2] / "docs"


def harmonised(name: str, rows: list[dict[str, str]]) -> Harmonised:
    """Rows under the names of a format, as its built-in mapping reads them."""
    titles = load_crosswalk(names()[name][0]).written()
    columns = {t: pa.array([row.get(t) for row in rows], pa.string()) for t in titles}
    numbers = pa.array(range(2, 2 + len(rows)), pa.int64())
    table = pa.table({**columns, "_row": numbers})
    raw = RawTable("file.csv", "ab" * 32, table, REJECTS.empty_table(), len(rows))
    return harmonise(raw, builtin(name), "someone", (2002, 2030), b"k" * 16)


def codes(text: str) -> dict[str, str | None]:
    """``text = code`` by commas; ``text =`` is not recorded."""
    pairs = (part.split("=") for part in text.split(","))
    return {a.strip(): b.strip() or None for a, b in pairs}


GENDER = "Male=male, Female=female, -99=, Unknown="
MAJORITY = codes("Minor=minor, Adult=adult, -99=, Unknown=")
BANDS = "0{d}8=0-8, 9{d}17=9-17, 18{d}20=18-20, 21{d}23=21-23, 24{d}26=24-26, 27{d}29=27-29"
BANDS += ", 30{d}38=30-38, 39{d}47=39-47, 48+=48+, -99="
AGES = {k: v for dash in ("--", "–", "—") for k, v in codes(BANDS.replace("{d}", dash)).items()}
FINE = codes(
    "9--11=9-17, 12--14=9-17, 15--17=9-17, 30--32=30-38, 33-35=30-38, 36--38=30-38, 48--56=48+"
    ", 57--65=48+, 66+=48+, Unknown="
)
SPECIAL = codes("00=, 0=, ZZ=, -99=, Y1=SRB, Y2=MNE, ZR=COD, TP=TLS, TB=CHN, AN=, Y3=, YU=, NA=NAM")
SOURCE = codes("Case management=case_management, Hotline=hotline")
NONCONFORMING = "Transgender/NonConforming=transgender_nonconforming"
TRANS = f"{NONCONFORMING}, Transgender=transgender_nonconforming"
TRANS += ", NonConforming=transgender_nonconforming"
MONTHS = "0--12 (0-1 yr)=0-12, 13--24 (1-2 yrs)=13-24"
REGIONS = codes("Africa=africa, Americas/Oceania=americas_oceania, Asia=asia, Europe=europe, -99=")
ENTRY = codes("0--8=minor, 9--17=minor, 18--20=adult, 48+=adult")

CODEBOOKS: dict[str, dict[str, dict[str, str | None]]] = {
    "ctdc-2017": {
        "datasource source_type": SOURCE,
        "gender gender": codes(f"{GENDER}, {TRANS}"),
        "ageBroad age_band": AGES | FINE,
        "majorityStatus majority_status": MAJORITY,
        "majorityStatusAtExploit majority_at_exploitation": MAJORITY,
        "MajorityEntry majority_at_entry": MAJORITY | ENTRY,
        "citizenship citizenship": SPECIAL,
        "CountryofExploitation country_of_exploitation": SPECIAL,
    },
    "ctdc-2021": {
        "Datasource source_type": SOURCE,
        "gender gender": codes(f"{GENDER}, {TRANS}"),
        "ageBroad age_band": AGES,
        "majorityStatus majority_status": MAJORITY,
        "majorityStatusAtExploit majority_at_exploitation": MAJORITY,
        "majorityEntry majority_at_entry": MAJORITY,
        "citizenship citizenship": SPECIAL,
        "CountryOfExploition country_of_exploitation": SPECIAL,
    },
    "ctdc-gsd-k10": {
        "gender gender": codes(f"{GENDER}, {NONCONFORMING}"),
        "ageBroad age_band": AGES | {"09--17": "9-17"},
        "majorityStatusAtExploit majority_at_exploitation": MAJORITY,
        "traffickMonths trafficking_duration": codes(
            f"{MONTHS}, 25--60 (2-5 yrs)=, 61+ (5+ yrs)=37+, 25--60=, 61+=37+, 25–60 (2-5 yrs)="
        ),
    },
    "ctdc-2024": {
        "gender gender": codes(
            "Man=male, Woman=female, Trans/Transgender/NonConforming=transgender_nonconforming"
        ),
        "ageBroad age_band": AGES,
        "traffickMonths trafficking_duration": codes(
            f"{MONTHS}, 0—12 (0-1 yr)=0-12, 13—24 (1-2 yrs)=13-24, 25+ (2+ yrs)="
        ),
    },
    "ctdc-vp-2022": {
        "gender gender": codes(GENDER),
        "majorityStatus majority_status": MAJORITY,
        "UN_COO_Region citizenship_region": REGIONS,
        "UN_COE_Region exploitation_region": REGIONS,
    },
    "htcds-2-export": {
        "prs_Gender gender": codes(
            "Feminine=female, Masculine=male, TransgenderFeminine=transgender_nonconforming"
            ", TransgenderMasculine=transgender_nonconforming"
            ", NonConforming=transgender_nonconforming, NonSpecifiedUnknown="
        ),
    },
}
"""By built-in mapping and column (with its variable): text and code, as the code book has them."""


@pytest.mark.parametrize("name", CODEBOOKS)
def test_every_code_of_the_code_book_is_read(name: str) -> None:
    rows: list[dict[str, str]] = []
    wanted: list[tuple[str, str | None]] = []
    for place, texts in CODEBOOKS[name].items():
        column, variable = place.split()
        rows += [{column: text} for text in texts]
        wanted += [(variable, code) for code in texts.values()]
    if name.startswith("htcds"):
        rows = [row | {"con_Consent": "TRUE"} for row in rows]
    done = harmonised(name, rows)
    assert done.rejects.to_pylist() == []
    for record in done.records.to_pylist():
        at = record["source_row"] - 2
        variable, code = wanted[at]
        assert record[variable] == code, rows[at]
    assert done.records.num_rows == len(rows)


PERPETRATORS = {
    "IP_Gender perpetrator_gender": codes("Female=female, Male=male"),
    "IP_ageBroad perpetrator_age_band": codes("0--29=0-29, 30--38=30-38, 39--47=39-47, 48+=48+"),
    "IP_citizen_UNRegion perpetrator_region": REGIONS,
    "IP_Relation perpetrator_relation": codes(
        "FamilyIntimatePartner=family_intimate_partner, FriendAcquaintance=friend_acquaintance"
        ", StrangerUnknownOther=stranger_unknown_other"
    ),
    "IP_PayMoney perpetrator_paid_money": codes("No=no, Yes=yes"),
}


def test_every_code_of_perpetrators_is_read() -> None:
    for place, texts in PERPETRATORS.items():
        column, variable = place.split()
        sure = {text: code for text, code in texts.items() if code}
        done = harmonised("ctdc-vp-2022", [{column: text} for text in sure])
        assert done.rejects.to_pylist() == []
        assert done.perpetrators[variable].to_pylist() == list(sure.values())


LISTS = {
    "vic_TypeOfExploitation": "ForcedLabour SexualExploitation ChildLabour ForcedMarriage Servitude"
    " ForcedMilitaryByNonStateActors OrganRemoval ForcedBegging ForcedAdoption Surrogacy Other",
    "vic_MethodsOfControl": "PhysicalThreats ThreatsLawEnforcement ThreatensChildrenFamily"
    " DebtBondage FalsePromises PhysicalAbuse SexualAbuse TakesEarnings RestrictsFinancialAccess"
    " RestrictsMedicalCare WithholdsNecessities PsychologicalAbuse PsychoactiveSubstance"
    " ExcessiveWorkingHours WithholdsDocuments Other",
}


@pytest.mark.parametrize("column", LISTS)
def test_every_value_of_the_lists_of_htcds_is_known(column: str) -> None:
    texts = LISTS[column].split()
    together = [mark.join(texts) for mark in (";", " ", " ; ")]
    rows = [{"con_Consent": "TRUE", column: text} for text in (*texts, *together)]
    done = harmonised("htcds-2-export", rows)
    assert done.rejects.to_pylist() == []
    assert {entry.ignored for entry in done.lineage} == {0}
    flags = [entry.column for entry in done.lineage if column in entry.sources]
    for record in done.records.to_pylist():
        assert "yes" in [record[flag] for flag in flags], record["source_row"]


@pytest.mark.parametrize("name", ["htcds-2-export", "ctdc-2024"])
def test_codes_of_the_hub_and_words_are_read_everywhere(name: str) -> None:
    title = "prs_Gender" if name.startswith("htcds") else "gender"
    texts = ["Female", "female", "Woman", "Mujer", "femme", "أنثى", "Male", "male", "MAN", "Hombre"]
    texts += ["transgender_nonconforming", "Unknown", "Inconnu", "غير معروف"]
    letters = ["M", "F", "H"]  # M is a man in one language and a woman in another
    rows = [{title: text} for text in (*texts, *letters)]
    done = harmonised(
        name, [{**row, "con_Consent": "yes"} if "prs_Gender" in row else row for row in rows]
    )
    rejected = {row["source_row"] for row in done.rejects.to_pylist()}
    assert rejected == {2 + len(texts) + n for n in range(len(letters))}
    expected = ["female"] * 6 + ["male"] * 4 + ["transgender_nonconforming", None, None, None]
    assert done.records["gender"].to_pylist() == expected


def test_words_and_codes_in_the_lists_of_htcds() -> None:
    texts = ["exploitation_sexual", "Exploitation sexuelle", "Explotación sexual", "استغلال جنسي"]
    texts += ["Sexual exploitation", "Sexual exploitation;Forced labour", "Inconnu"]
    rows = [{"con_Consent": "TRUE", "vic_TypeOfExploitation": text} for text in texts]
    done = harmonised("htcds-2-export", rows)
    assert done.records["exploitation_sexual"].to_pylist() == ["yes"] * 6 + [None]
    sectors = [
        {"con_Consent": "TRUE", "vic_ForcedLabourIndustry": "labour_construction F_Construction"}
    ]
    assert harmonised("htcds-2-export", sectors).records["labour_construction"][0].as_py() == "yes"


def test_what_a_list_of_htcds_does_not_know_is_counted_and_never_no() -> None:
    rows = [
        {"con_Consent": "TRUE", "vic_TypeOfExploitation": text}
        for text in ("CyberSlavery", "ForcedLabour;Something new", "SexualExploitation")
    ]
    done = harmonised("htcds-2-export", rows)
    flags = [e for e in done.lineage if "vic_TypeOfExploitation" in e.sources]
    assert {entry.ignored for entry in flags} == {2}
    assert all(entry.lossy for entry in flags)
    found = {flag.column: done.records[flag.column].to_pylist() for flag in flags}
    assert "no" not in {value for values in found.values() for value in values}
    assert [values[0] for values in found.values()] == [None] * len(flags)


def test_a_refused_consent_in_other_words_leaves_the_row_out() -> None:
    texts = ["FALSE", "no", "0", "non", "N", "لا"]
    rows = [
        {"con_Consent": text, "prs_Gender": "Feminine"} for text in (*texts, "Oui", "TRUE", "1")
    ]
    done = harmonised("htcds-2-export", rows)
    assert done.conservation.excluded["no-consent-to-share"] == len(texts)
    assert done.records.num_rows == 3


def test_the_reference_lists_every_built_in_mapping() -> None:
    text = (DOCS / "reference" / "mapping.md").read_text("utf-8")
    section = text.split("## Built-in mappings")[1].split("\n## ")[0]
    listed = set(re.findall(r"`([a-z0-9-]+)`", section))
    assert set(names()) <= listed
