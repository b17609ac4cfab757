"""The case management CSV: ``;``, Windows-1252, -99, 0/1 flags, alpha-2 codes, full grain."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctdhub.practice.people import Ints, Marginals, pick
from ctdhub.practice.records import Records, Texts, numbered, telephones
from ctdhub.practice.sheets import write_csv
from ctdhub.schema.countries import ALPHA3, ALPHA3_TO_ALPHA2
from ctdhub.schema.model import load_schema

FILE = "practice_fictitious_casework.csv"
REJECTED = (("Nationality", "Ukrayne"), ("IntakeDate", "1899-12-30"), ("Sex", "8"))
EXCLUDED = {"not-a-victim": ("CaseStatus", "NOT_VICTIM"), "no-consent": ("Consent", "N")}
NONE = "-99"
_STATUS = ("N", "O", "R", "D", "X")
_ROLES = ("RECRUITER", "EXPLOITER", "TRANSPORTER", "GUARD")
_RELATIONS = ("FAMILY", "PARTNER", "FRIEND", "STRANGER")
_ONE_ONLY = {
    "means_restricts_financial_access",
    "means_uses_children",
    "means_withholds_documents",
    "means_other",
}
"""Flags that are 1 or empty, never 0 (codebook v6)."""


def write(path: Path, r: Records, tokens: Texts, rng: np.random.Generator, m: Marginals) -> None:
    """Write the file."""
    n = len(r)
    number = np.arange(1, n + 1)
    columns = {
        "CaseNo": numbered("PRACTICE-{:06d}", number),
        "ClientName": numbered("Practice person {}", r.person + 1),
        "ClientPhone": telephones(r.person + 1),
        "LinkToken": tokens[r.person],
        "IntakeDate": np.datetime_as_string(r.date).astype(object),
        "CaseStatus": np.array(["CONFIRMED", "PRESUMED"], object)[pick(rng, n, (8, 2))],
        "Consent": np.full(n, "Y", object),
        "Sex": r.words("gender", ("F", "M", "T"), "gender"),
        "Age": r.people.age[r.person].astype(str).astype(object),
        "MinorAtExploitation": r.words("majority_at_exploitation", ("1", "0"), "duration"),
        "MinorAtEntry": r.words("majority_at_entry", ("1", "0"), "duration"),
        "Nationality": r.words("citizenship", _alpha2(), "citizenship"),
        "CountryOfExploitation": r.words("country_of_exploitation", _alpha2(), "country"),
        "CountryRule": r.words(
            "country_of_exploitation_rule", ("LAST", "IDENT", "ASSIST", "REF"), "country"
        ),
        "MonthsExploited": r.people.months[r.person].astype(str).astype(object),
        "Abduction": r.words("abduction", ("1", "0"), "exploitation"),
    }
    columns["Age"][r.missing["age"]] = ""
    columns["MonthsExploited"][r.missing["duration"]] = ""
    for group in ("means", "exploitation", "labour", "sex", "recruiter"):
        for flag in load_schema().flags(group):
            words = ("1", NONE if flag in _ONE_ONLY else "0")
            columns[column_name(flag)] = r.words(flag, words, group)
    for group, block in (("crime", "exploitation"), ("ict", "means")):
        for flag in load_schema().flags(group):
            columns[column_name(flag)] = r.words(flag, ("1", "0"), block)
    for flag, block in (("labour_not_specified", "labour"), ("recruiter_unknown", "recruiter")):
        columns[column_name(flag)] = r.words(flag, ("1", "0"), block)
        columns[column_name(flag)][r.missing[block]] = "1"
    columns["MeansNotSpecified"] = np.where(r.missing["means"], "1", "0").astype(object)
    for kind in m.assistance.need:
        columns[column_name(f"assistance_{kind}")] = r.words(
            f"assistance_{kind}", _STATUS, "assistance"
        )
    columns |= _perpetrators(r, rng)
    columns["Notes"] = np.full(n, "Practice note – fictitious, nobody said this", object)
    r.spoil(columns, REJECTED, EXCLUDED)
    for name, column in columns.items():
        columns[name] = np.where(column == "", NONE, column).astype(object)
    write_csv(path, columns, delimiter=";", encoding="cp1252")


def column_name(variable: str) -> str:
    """The contributor's column for a hub variable.

    >>> column_name("means_debt_bondage")
    'MeansDebtBondage'
    """
    return "".join(part.capitalize() for part in variable.split("_"))


def _alpha2() -> list[str]:
    return [ALPHA3_TO_ALPHA2[code] for code in ALPHA3]


def _perpetrators(r: Records, rng: np.random.Generator) -> dict[str, Texts]:
    """One to three perpetrators a row as lists aligned by position."""
    n = len(r)
    count = 1 + pick(rng, n, (68, 24, 8))
    count[r.missing["perpetrator"]] = 0
    related = (r.code("recruiter_family") == 0) | (r.code("recruiter_intimate_partner") == 0)
    relation = np.where(related, pick(rng, n, (5, 4, 1, 1)), pick(rng, n, (1, 1, 3, 6)))
    return {
        "PerpGender": _aligned(rng, ("F", "M"), (28, 72), count),
        "PerpAgeBand": _aligned(rng, ("0--29", "30--38", "39--47", "48+"), (30, 34, 24, 12), count),
        "PerpRole": _aligned(rng, _ROLES, (34, 46, 12, 8), count),
        "PerpRelation": _aligned(rng, _RELATIONS, (1, 1, 1, 1), count, relation),
    }


def _aligned(
    rng: np.random.Generator,
    words: tuple[str, ...],
    weights: tuple[int, ...],
    count: Ints,
    first: Ints | None = None,
) -> Texts:
    chosen = np.stack([pick(rng, len(count), weights) for _ in range(3)])
    if first is not None:
        chosen[0] = first
    found = np.full(len(count), "", object)
    for i, row in enumerate(np.array(words, object)[chosen]):
        found = np.where(count > i, found + (";" if i else "") + row, found).astype(object)
    return found
