"""The hotline workbook: one row per call on a situation, English labels, ``;`` lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ctdhub.practice.people import BANDS, Marginals, pick
from ctdhub.practice.records import Records, Texts, numbered, telephones
from ctdhub.practice.sheets import write_xlsx
from ctdhub.schema.countries import ALPHA3, name

FILE = "practice_fictitious_hotline.xlsx"
SHEET = "Practice, fictitious"
REJECTED = (
    ("Nationalities", "Untied Staates"),
    ("Report date", "1899-06-01"),
    ("Gender", "Code 7"),
)
EXCLUDED = {
    "not-a-victim": ("Assessment", "Not trafficking"),
    "no-consent": ("Consent to share", "No"),
}
SITUATIONS = {
    "exploitation_sexual": "Sex trafficking",
    "exploitation_forced_labour": "Labor trafficking",
    "exploitation_other": "Other trafficking",
}
MEANS = {
    "means_debt_bondage": "Debt bondage",
    "means_takes_earnings": "Takes/Withholds Earnings",
    "means_restricts_financial_access": "Restricts access to finances",
    "means_threats": "Threats to individual or others",
    "means_psychological_abuse": "Psychological abuse",
    "means_physical_abuse": "Physical abuse",
    "means_sexual_abuse": "Sexual abuse",
    "means_false_promises": "False promises/deception",
    "means_psychoactive_substances": "Use of psychoactive substances",
    "means_restricts_movement": "Denied freedom of movement/kept in isolation",
    "means_restricts_medical_care": "Limits/restricts medical services",
    "means_excessive_working_hours": "Excessive working hours",
    "means_uses_children": "Restricts access to/manipulates children",
    "means_threat_of_law_enforcement": "Threat of action by law enforcement",
    "means_withholds_necessities": "Withholds/denies basic necessities",
    "means_withholds_documents": "Withholds/Destroys Important Documents",
    "means_other": "Other",
}
"""Labels of the concatenated column of codebook v6."""
VENUES = {
    "labour_agriculture": "Agriculture/Farms/Animal Husbandry",
    "labour_aquafarming": "Aquafarming/Fishing",
    "labour_begging": "Begging",
    "labour_construction": "Construction",
    "labour_domestic_work": "Domestic Work",
    "labour_hospitality": "Hospitality/Restaurant/Food Service/Hotel",
    "labour_illicit_activities": "Illicit Activities",
    "labour_manufacturing": "Manufacturing/Factory work",
    "labour_peddling": "Peddling",
    "labour_transportation": "Transportation",
    "labour_other": "Other",
}
SEX = {
    "sex_prostitution": "Prostitution",
    "sex_pornography": "Pornography",
    "sex_remote_interactive_services": "Remote interactive services",
    "sex_private_sexual_services": "Private sexual services",
}
RECRUITERS = {
    "recruiter_intimate_partner": "Intimate Partner",
    "recruiter_friend": "Friend/Acquaintance",
    "recruiter_family": "Family/Relative",
    "recruiter_other": "Other",
}


def write(path: Path, r: Records, tokens: Texts, rng: np.random.Generator, m: Marginals) -> None:
    """Write the file; callers leave no tokens, so ``tokens`` is not used."""
    n = len(r)
    callers = ("Self", "Family member", "Friend", "Service provider", "Law enforcement", "Other")
    contact = ("Phone", "Text", "Web chat", "E-mail")
    columns: dict[str, Texts] = {
        "Situation ID": numbered("PRACTICE-SIT-{:07d}", r.person + 1),
        "Report date": r.date.astype(object),
        "Contact": np.array(contact, object)[pick(rng, n, (60, 20, 12, 8))],
        "Caller name": numbered("Practice caller {}", np.arange(1, n + 1)),
        "Caller phone": telephones(rng.integers(0, 1000, n)),
        "Caller relation": np.array(callers, object)[pick(rng, n, (25, 15, 12, 22, 8, 18))],
        "Assessment": np.array(["High", "Moderate"], object)[pick(rng, n, (6, 4))],
        "Consent to share": np.full(n, "Yes", object),
        "Gender": r.words("gender", ("Female", "Male", "Transgender/NonConforming"), "gender"),
        "Age": _ages(r, rng),
        "Nationalities": _nationalities(r, rng),
        "Country of situation": r.words(
            "country_of_exploitation", [name(code, "en") for code in ALPHA3], "country"
        ),
        "Type of trafficking": r.several(SITUATIONS, "exploitation"),
        "Labor venue": r.several(VENUES, "labour"),
        "Sex venue": r.several(SEX, "sex"),
        "Means of control": r.several(MEANS, "means"),
        "Relationship of recruiter": r.several(RECRUITERS, "recruiter"),
        "Call notes": np.full(n, "Practice note: fictitious, nobody called", object),
    }
    unsaid = (columns["Means of control"] == "") & (rng.random(n) < 0.5)
    columns["Means of control"][unsaid] = "Not Specified"
    r.spoil(columns, REJECTED, EXCLUDED)
    write_xlsx(path, SHEET, columns)


def _ages(r: Records, rng: np.random.Generator) -> Texts:
    """Ages as callers give them: a number, a band, or only minor or adult."""
    age, band = r.people.age[r.person], r.code("age_band")
    bands = [f"{low} to {high}" for low, high in BANDS[:-1]] + ["48 and over"]
    style = pick(rng, len(r), (50, 30, 12, 8))
    whole = np.array([int(a) for a in age], object)
    found = np.where(style == 0, whole, np.array(bands, object)[band])
    vague = np.where(age < 18, "Minor", "Adult")
    found = np.where(style == 2, vague, found).astype(object)
    found[(style == 3) | r.missing["age"]] = "Unknown"
    return found


def _nationalities(r: Records, rng: np.random.Generator) -> Texts:
    """One nationality, for some people two: the person's own comes first."""
    english = [name(code, "en") for code in ALPHA3]
    own = r.words("citizenship", english, "citizenship")
    second = r.words("country_of_exploitation", english, "citizenship")
    two = (rng.random(len(r)) < 0.06) & (own != "") & (own != second)
    return np.where(two, own + "; " + second, own).astype(object)
