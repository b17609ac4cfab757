"""The crosswalks' own files: complete, without contradiction, every arrow's end in the schema."""

from __future__ import annotations

import pytest

from ctdhub.core.errors import HubError
from ctdhub.schema.crosswalk import (
    HUB,
    NAMES,
    Crosswalk,
    arrows,
    covered,
    crosswalk,
    load_crosswalk,
    notes,
    sentence,
)
from ctdhub.schema.model import load_schema


def words(text: str) -> list[str]:
    return text.split()


MEANS = words("""
DebtBondage TakesEarnings RestrictsFinancialAccess Threats PsychologicalAbuse PhysicalAbuse
SexualAbuse FalsePromises PsychoactiveSubstances RestrictsMovement RestrictsMedicalCare
ExcessiveWorkingHours UsesChildren ThreatOfLawEnforcement WithholdsNecessities WithholdsDocuments
Other NotSpecified Concatenated
""")
LABOUR = words("""
Agriculture Aquafarming Begging Construction DomesticWork Hospitality IllicitActivities
Manufacturing MiningOrDrilling Peddling Transportation Other NotSpecified Concatenated
""")
SEX = words("""
Prostitution Pornography RemoteInteractiveServices PrivateSexualServices Concatenated
""")
RECRUITER = words("IntimatePartner Friend Family Other Unknown")


def k_anonymous(datasource: str, entry: str, slavery: list[str], country: str) -> list[str]:
    return [
        "yearOfRegistration",
        datasource,
        *words("gender ageBroad majorityStatus majorityStatusAtExploit"),
        entry,
        "citizenship",
        *("meansOfControl" + end for end in MEANS),
        *words("isForcedLabour isSexualExploit isOtherExploit isSexAndLabour isForcedMarriage"),
        *words("isForcedMilitary isOrganRemoval"),
        *slavery,
        "typeOfExploitConcatenated",
        *("typeOfLabour" + end for end in LABOUR),
        *("typeOfSex" + end for end in SEX),
        *words("isAbduction RecruiterRelationship"),
        country,
        *("recruiterRelation" + end for end in RECRUITER),
    ]


EXPECTED = {
    "ctdc-2017": (62, k_anonymous("datasource", "MajorityEntry", [], "CountryofExploitation")),
    "ctdc-2021": (
        63,
        k_anonymous(
            "Datasource", "majorityEntry", ["isSlaveryAndPractices"], "CountryOfExploition"
        ),
    ),
    "ctdc-gsd-k10": (
        37,
        words("""
        yearOfRegistration gender ageBroad majorityStatusAtExploit traffickMonths citizenship
        CountryOfExploitation meansOfControlDebtBondage meansOfControlTakesEarnings
        meansOfControlThreats meansOfControlPsychologicalAbuse meansOfControlPhysicalAbuse
        meansOfControlSexualAbuse meansOfControlFalsePromises
        meansOfControlPsychoactiveSubstances meansOfControlRestrictsMovement
        meansOfControlRestrictsMedicalCare meansOfControlExcessiveWorkingHours
        meansOfControlThreatOfLawEnforce meansOfControlWithholdsNecessities
        meansOfControlWithholdsDocuments meansOfControlOther isForcedLabour isSexualExploit
        isOtherExploit typeOfLabourAgriculture typeOfLabourConstruction typeOfLabourDomesticWork
        typeOfLabourHospitality typeOfLabourOther typeOfSexProstitution typeOfSexPornography
        typeOfSexOther recruiterRelationIntimatePartner recruiterRelationFriend
        recruiterRelationFamily recruiterRelationOther
        """),
    ),
    "ctdc-2024": (
        27,
        words("""
        yearOfRegistration gender ageBroad citizenship CountryOfExploitation traffickMonths
        meansDebtBondageEarnings meansThreats meansAbusePsyPhySex meansFalsePromises
        meansDrugsAlcohol meansDenyBasicNeeds meansExcessiveWorkHours meansWithholdDocs
        isForcedLabour isSexualExploit isOtherExploit typeOfLabourAgriculture
        typeOfLabourConstruction typeOfLabourDomesticWork typeOfLabourHospitality
        typeOfSexProstitution typeOfSexPornography recruiterRelationIntimatePartner
        recruiterRelationFriend recruiterRelationFamily recruiterRelationOther
        """),
    ),
    "ctdc-vp-2022": (
        16,
        words("""
        yearRegister gender majorityStatus isForcedLabour isSexualExploit UN_COO_Region
        UN_COE_Region IP_Exploiter IP_Gender IP_ageBroad IP_citizen_UNRegion IP_Relation
        IP_PayMoney IP_RecruiterBroker IP_TransactionProcess IP_ControlAbuseKidnap
        """),
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_variable_of_the_codebook_is_there_in_order(name: str) -> None:
    count, columns = EXPECTED[name]
    assert len(columns) == count
    assert list(load_crosswalk(name).written()) == columns


@pytest.mark.parametrize("name", NAMES)
def test_every_arrow_ends_in_the_schema(name: str) -> None:
    schema = load_schema()
    for arrow in arrows(name):
        if arrow.variable is None:
            continue
        assert schema.has(arrow.variable), arrow
        if arrow.code:
            assert arrow.code in schema.domain(arrow.variable, (1990, 2030)), arrow


@pytest.mark.parametrize("name", NAMES)
def test_an_arrow_that_is_not_followed_both_ways_says_why(name: str) -> None:
    """Second texts for a code, repeats and unknowns aside, no direction is shut in silence."""
    settled = {(a.column, a.variable, a.code) for a in arrows(name) if a.writes}
    for arrow in arrows(name):
        if not arrow.writes and arrow.variable and arrow.code:
            excused = arrow.lossy_write or arrow.lossy_read
            assert (
                excused
                or (arrow.column, arrow.variable, arrow.code) in settled
                or (arrow.value == "RestrictsMovement")
            ), arrow
        if not arrow.reads and arrow.variable:
            assert arrow.lossy_read or arrow.lossy_write, arrow


def test_notes_are_all_used_and_all_sentences() -> None:
    used = {
        note for name in NAMES for a in arrows(name) for note in (a.lossy_read, a.lossy_write)
    } | {sentence("no_column")}
    assert used - {None} == set(notes())
    assert all(note.endswith(".") and note[0].isupper() for note in notes())


def test_an_unknown_name_is_an_error_with_a_remedy() -> None:
    with pytest.raises(HubError, match="ctdc-2024"):
        load_crosswalk("ctdc-1999")


def test_what_a_format_covers() -> None:
    schema = load_schema().at("1.1")
    whole: Crosswalk = load_crosswalk("ctdc-2021")
    left = {v.name for v in schema.records} - set(covered(whole, schema))
    assert left == {
        "reporting_entity",
        "citizenship_region",
        "exploitation_region",
        "country_of_exploitation_rule",
        "trafficking_duration",
        *schema.members("assistance"),
    }


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("target", [*NAMES, HUB])
def test_joining_leaves_nothing_out(source: str, target: str) -> None:
    crossings = crosswalk(source, target)
    assert {c.source for c in crossings} >= {a.column for a in arrows(source)}
    assert {c.target for c in crossings} >= {a.column for a in arrows(target)}
    for c in crossings:
        if c.state == "exact":
            assert not c.notes
        if c.state == "lossy":
            assert c.notes
    if load_crosswalk(source).kind == "concepts":
        assert "exact" not in {c.state for c in crossings}


def test_joining_2021_with_2024() -> None:
    crossings = crosswalk("ctdc-2021", "ctdc-2024")
    threats = [c for c in crossings if c.source == "meansOfControlUsesChildren"]
    assert [(c.target, c.state) for c in threats] == [("meansThreats", "lossy")]
    labour = [c for c in crossings if c.source == "isForcedLabour"]
    assert [(c.code, c.state) for c in labour] == [("yes", "exact"), ("no", "lossy")]
    gone = {c.source for c in crossings if c.state == "none"}
    assert {"isAbduction", "typeOfLabourBegging", "majorityEntry", "Datasource"} <= gone
    back = [c for c in crosswalk("ctdc-2024", "ctdc-2021") if c.source == "meansThreats"]
    assert {c.state for c in back} == {"lossy"}
    assert {note for c in back for note in c.notes} == {sentence("merged_read")}
