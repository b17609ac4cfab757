"""The refuge's workbook: HTCDS 2.0 Excel template, French labels, two header rows.

Structure: Human Trafficking Case Data Standard 2.0, Excel template (UNMigration/HTCDS, CC BY
4.0).  Labels carry the blanks at their end that the standard's own picklists have.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctdhub.practice.people import Marginals, pick
from ctdhub.practice.records import Records, Texts, numbered, telephones
from ctdhub.practice.sheets import write_xlsx
from ctdhub.schema.countries import ALPHA3, name

FILE = "practice_fictitious_refuge_htcds.xlsx"
SHEET = "Exercice, fictif"
REJECTED = (
    ("prs_Citizenship", "Roumannnie"),
    ("cas_IncomingReferralDate", "1899-05-17"),
    ("prs_Gender", "Code 9"),
)
EXCLUDED = {
    "not-a-victim": ("vic_TraffickingStatus", "Pas une victime de la traite"),
    "no-consent": ("con_Consent", "Non"),
}
COLUMNS = {
    "cas_CaseOwner": "Responsable du dossier",
    "prs_Salutation": "Civilité",
    "prs_FirstName": "Prénom",
    "prs_SecondName": "Nom",
    "con_Consent": "Consentement",
    "prs_Birthdate": "Date de naissance",
    "prs_Gender": "Genre",
    "prs_Citizenship": "Nationalité",
    "prs_Email": "Courriel",
    "prs_MobilePhone": "Téléphone mobile",
    "vic_TraffickingStatus": "Statut de victime",
    "vic_MethodOfRecruitment": "Méthode de recrutement",
    "vic_MethodsOfControl": "Moyens de contrôle",
    "vic_TypeOfExploitation": "Type d’exploitation",
    "vic_ForcedLabourIndustry": "Secteur du travail forcé",
    "vic_TypeOfSexExploitation": "Type d’exploitation sexuelle",
    "vic_LocationOfExploitation": "Lieu d’exploitation",
    "cas_Status": "Statut du dossier",
    "cas_IncomingReferralDate": "Date d’orientation entrante",
    "cas_IncomingReferralDetails": "Précisions sur l’orientation",
    "cas_ReasonForCaseClosure": "Motif de clôture",
    "x_LinkToken": "Jeton de lien",
}
MEANS = {
    "means_debt_bondage": "Servitude pour dettes ",
    "means_takes_earnings": "Retient les revenus",
    "means_restricts_financial_access": "Limite l’accès aux finances",
    "means_threats": "Menaces physiques",
    "means_psychological_abuse": "Abus psychologique",
    "means_physical_abuse": "Violence physique",
    "means_sexual_abuse": "Violence sexuelle",
    "means_false_promises": "Fausses promesses",
    "means_psychoactive_substances": "Substances psychoactives",
    "means_restricts_medical_care": "Limite les soins médicaux",
    "means_excessive_working_hours": "Horaires de travail excessifs",
    "means_uses_children": "Menaces envers les enfants ou la famille",
    "means_threat_of_law_enforcement": "Menace de recours aux autorités",
    "means_withholds_necessities": "Prive du nécessaire",
    "means_withholds_documents": "Retient les documents",
    "means_other": "Autre",
}
"""The sixteen means of the standard's picklist; it has none for restricted movement."""
INDUSTRIES = {
    "labour_agriculture": "Agriculture, sylviculture et pêche",
    "labour_aquafarming": "Agriculture, sylviculture et pêche",
    "labour_construction": "Construction",
    "labour_domestic_work": "Activités des ménages en tant qu’employeurs",
    "labour_hospitality": "Hébergement et restauration",
    "labour_manufacturing": "Fabrication",
    "labour_mining_or_drilling": "Activités extractives",
    "labour_peddling": "Commerce de gros et de détail",
    "labour_transportation": "Transport et entreposage",
    "labour_other": "Autres activités de services",
}
SEX = {
    "sex_prostitution": "Prostitution",
    "sex_pornography": "Pornographie",
    "sex_remote_interactive_services": "Services interactifs à distance",
    "sex_private_sexual_services": "Services sexuels privés",
}
SITUATIONS = {
    "exploitation_sexual": "Exploitation sexuelle",
    "exploitation_forced_marriage": "Mariage forcé",
    "exploitation_forced_military": "Enrôlement forcé par des groupes armés",
    "exploitation_organ_removal": "Prélèvement d’organes",
    "exploitation_slavery_and_practices": "Servitude",
    "exploitation_other": "Autre",
}


def write(path: Path, r: Records, tokens: Texts, rng: np.random.Generator, m: Marginals) -> None:
    """Write the file."""
    n = len(r)
    french = [name(code, "fr") for code in ALPHA3]
    genders = ("Féminin\u00a0", "Masculin\u00a0", "Transgenre féminin\u00a0")
    recruitment = (
        "Par une annonce en ligne",
        "Par des amis ou lors d’événements sociaux",
        "Par les réseaux sociaux en ligne",
        "",
    )
    columns = {column: np.full(n, "", object) for column in COLUMNS}
    columns |= {
        "cas_CaseOwner": np.full(n, "Équipe de pratique", object),
        "prs_FirstName": numbered("Personne de pratique {}", r.person + 1),
        "con_Consent": np.full(n, "Oui", object),
        "prs_Birthdate": _births(r, rng).astype(object),
        "prs_Gender": r.words("gender", genders, "gender"),
        "prs_Citizenship": r.words("citizenship", french, "citizenship"),
        "prs_Email": numbered("pratique{}@example.org", r.person + 1),
        "prs_MobilePhone": telephones(r.person + 1),
        "vic_TraffickingStatus": np.array(
            ["Victime avérée de la traite", "Victime possible de la traite"], object
        )[pick(rng, n, (7, 3))],
        "vic_MethodOfRecruitment": np.array(recruitment, object)[pick(rng, n, (4, 3, 2, 6))],
        "vic_MethodsOfControl": r.several(MEANS, "means", ";"),
        "vic_TypeOfExploitation": _situations(r),
        "vic_ForcedLabourIndustry": r.several(INDUSTRIES, "labour", ";"),
        "vic_TypeOfSexExploitation": r.several(SEX, "sex", ";"),
        "vic_LocationOfExploitation": r.words("country_of_exploitation", french, "country"),
        "cas_Status": np.array(["Actif", "Suivi", "Clos"], object)[pick(rng, n, (3, 2, 5))],
        "cas_IncomingReferralDate": r.date.astype(object),
        "cas_IncomingReferralDetails": np.full(n, "Texte d’exercice, fictif", object),
        "x_LinkToken": tokens[r.person],
    }
    columns["prs_Birthdate"][r.missing["age"]] = ""
    r.spoil(columns, REJECTED, EXCLUDED)
    write_xlsx(path, SHEET, columns, tuple(COLUMNS.values()))


def _births(r: Records, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """A birth date that makes the person's age in completed years right on the day of referral."""
    month = r.date.astype("datetime64[M]")
    day = r.date - month.astype("datetime64[D]")
    then = month - (12 * r.people.age[r.person]).astype("timedelta64[M]")
    before = rng.integers(1, 364, len(r)).astype("timedelta64[D]")
    born: NDArray[np.datetime64] = then.astype("datetime64[D]") + day - before
    return born


def _situations(r: Records) -> Texts:
    """Types of exploitation; forced labour has three labels in the standard."""
    begging = r.people.is_yes("labour_begging")[r.person]
    minor = r.people.age[r.person] < 18
    label = np.where(minor, "Travail des enfants", "Travail forcé")
    label = np.where(begging, "Mendicité forcée", label)
    labour = r.people.is_yes("exploitation_forced_labour")[r.person] & ~r.missing["exploitation"]
    others = r.several(SITUATIONS, "exploitation", ";")
    both = np.where(others == "", label, others + ";" + label.astype(object))
    return np.where(labour, both, others).astype(object)
