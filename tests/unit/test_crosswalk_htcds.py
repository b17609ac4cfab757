"""Picklists of HTCDS 2.0: status, deciding body, recruitment and rare exploitation, both ways."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from test_mapping_rules import raw_table

from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.export import write_format
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

COLUMNS = {
    "status": "vic_TraffickingStatus",
    "body": "vic_TraffickinStatusDecisionMakingOrg",
    "recruited": "vic_MethodOfRecruitment",
    "purpose": "vic_TypeOfExploitation",
}
PICKLISTS = """
status    | PossibleVictimOfTrafficking  | Possible victim of trafficking   | victim_status=presumed
status    | ActualVictimOfTrafficking    | Actual victim of trafficking     | victim_status=identified
body      | Police                       | Police                           | status_decided_by=police
body      | NGO                          | NGO                              | status_decided_by=ngo
body      | CourtOrProsecution           | Court or prosecution     | status_decided_by=court_or_prosecution
body      | NonPoliceGovernmentalOrganization | Non-police governmental organization | status_decided_by=other_authority
body      | Other                        | Other                            | status_decided_by=other
recruited | AtAPlaceOfBusiness           | At a place of business           | recruited_business_place=yes
recruited | AtAnEducationalInstitution   | At an educational institution    | recruited_education=yes
recruited | AtWork                       | At work                          | recruited_workplace=yes
recruited | ThroughOnlineSocialNetworks  | Through online social networks   | recruited_online_network=yes
recruited | ThroughAnOnlineAdvertisement | Through an online advertisement  | recruited_online_advert=yes
recruited | ThroughANewspaperAdvert      | Through a newspaper advert       | recruited_press_tv=yes
recruited | ThroughATelevisionAdvert     | Through a television advert      | recruited_press_tv=yes
recruited | ThroughFamilyOrFamilyEvents  | Through family or family events  | recruited_family=yes
recruited | ThroughFriendsOrSocialEvents | Through friends or social events | recruited_friends=yes
recruited | Other                        | Other                            | recruited_other=yes
purpose   | Surrogacy                    | Surrogacy                        | exploitation_surrogacy=yes
purpose   | ForcedAdoption               | Forced adoption                  | exploitation_illegal_adoption=yes
"""  # noqa: E501
READ_ONLY = "ThroughATelevisionAdvert"
YEARS, KEY = (2002, 2030), bytes(range(16))
LINES = [tuple(p.strip() for p in line.split("|")) for line in PICKLISTS.strip().splitlines()]


def read(rows: list[dict[str, str | None]]) -> Harmonised:
    """Rows of an export, of women, so that none is empty."""
    mapping = builtin("htcds-2-export")
    blank = {**dict.fromkeys(mapping.needed()), "prs_Gender": "Feminine"}
    return harmonise(raw_table([{**blank, **row} for row in rows]), mapping, "x", YEARS, KEY)


def test_names_and_labels_are_read() -> None:
    texts = [(COLUMNS[c], t, to) for c, *both, to in LINES for t in (*both, both[1].lower())]
    done = read([{column: text} for column, text, _to in texts])
    assert done.rejects.num_rows == 0
    for record, (_column, text, to) in zip(done.records.to_pylist(), texts, strict=True):
        variable, _equals, code = to.partition("=")
        assert record[variable] == code, text


def test_codes_are_written_and_come_back(tmp_path: Path) -> None:
    lines = [(name, *to.split("=")) for _c, name, _l, to in LINES if name != READ_ONLY]
    records = {v: [c if v == other else None for _n, other, c in lines] for _n, v, _c in lines}
    out = tmp_path / "out.csv"
    write_format(pa.table({**records, "gender": ["female"] * len(lines)}), "htcds-2", out)
    written = out.read_text("utf-8").splitlines()[2:]
    mapping = builtin("htcds-2")
    back = harmonise(read_table(out, mapping.read), mapping, "x", YEARS, KEY).records.to_pylist()
    for line, record, (name, variable, code) in zip(written, back, lines, strict=True):
        assert name in line
        assert record[variable] == code


def test_a_hub_of_an_older_schema_still_has_other_exploitation() -> None:
    purpose = COLUMNS["purpose"]
    done = read([{purpose: "Surrogacy"}, {purpose: "Forced adoption;Other"}])
    assert done.records["exploitation_other"].to_pylist() == ["yes", "yes"]
    assert done.records["exploitation_surrogacy"].to_pylist() == ["yes", None]
