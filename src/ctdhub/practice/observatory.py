"""The observatory's CSV: Spanish, comma, UTF-8 with byte order mark, bands of its own."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np

from ctdhub.practice.people import Marginals, pick
from ctdhub.practice.records import Records, Texts, numbered
from ctdhub.practice.sheets import write_csv
from ctdhub.schema.countries import ALPHA3, name

FILE = "practice_fictitious_observatory.csv"
REJECTED = (("Nacionalidad", "Colomvia"), ("Fecha", "31/12/1899"), ("Sexo", "Código 5"))
EXCLUDED = {"not-a-victim": ("Condición", "No es víctima"), "no-consent": ("Consentimiento", "No")}
NONE = "Sin dato"
AGES = {8: "0 a 8", 13: "9 a 13", 17: "14 a 17", 20: "18 a 20", 23: "21 a 23", 29: "24 a 29",
        38: "30 a 38", 45: "39 a 45", 200: "46 y más"}  # fmt: skip
"""Bands by their last year of age; "24 a 29" and "46 y más" do not nest in the hub's bands."""
FLAGS = {
    "exploitation_sexual": "Explotación sexual",
    "exploitation_forced_labour": "Explotación laboral",
    "exploitation_forced_marriage": "Matrimonio forzado",
    "exploitation_slavery_and_practices": "Servidumbre",
    "exploitation_organ_removal": "Extracción de órganos",
    "exploitation_other": "Otra explotación",
}
SECTORS = {
    "labour_agriculture": "Agricultura",
    "labour_construction": "Construcción",
    "labour_domestic_work": "Trabajo doméstico",
    "labour_hospitality": "Hostelería",
    "labour_manufacturing": "Industria",
    "labour_begging": "Mendicidad",
    "labour_peddling": "Venta ambulante",
    "labour_illicit_activities": "Actividades ilícitas",
    "labour_mining_or_drilling": "Minería",
    "labour_aquafarming": "Pesca",
    "labour_transportation": "Transporte",
    "labour_other": "Otro",
}
RECRUITERS = {
    "recruiter_intimate_partner": "Pareja",
    "recruiter_friend": "Amistad",
    "recruiter_family": "Familia",
    "recruiter_other": "Otra persona",
}
_STATUS = ("Necesita", "Ofrecido", "Recibido", "Rechazado", "No disponible")
_MONTHS = ("0 a 12", "13 a 24", "25 a 36", "37 y más")


def write(path: Path, r: Records, tokens: Texts, rng: np.random.Generator, m: Marginals) -> None:
    """Write the file."""
    n = len(r)
    conditions = np.array(["Víctima confirmada", "Víctima presunta"], object)
    day, month, year = _parts(r)
    ages = np.array(list(AGES.values()), object)[
        np.searchsorted(list(AGES), r.people.age[r.person])
    ]
    ages[r.missing["age"]] = ""
    columns: dict[str, Texts] = {
        "Expediente": numbered("PRACTICA-{:06d}", np.arange(1, n + 1)),
        "Código de enlace": tokens[r.person],
        "Fecha": day + "/" + month + "/" + year,
        "Condición": conditions[pick(rng, n, (6, 4))],
        "Consentimiento": np.full(n, "Sí", object),
        "Sexo": r.words("gender", ("Mujer", "Hombre", "Trans"), "gender"),
        "Grupo de edad": ages,
        "Nacionalidad": _countries(r, "citizenship", "citizenship", rng),
        "País de explotación": _countries(r, "country_of_exploitation", "country", rng),
        "Meses de explotación": r.words("trafficking_duration", _MONTHS, "duration"),
    }
    yes = np.array(["Sí", "Si"], object)[pick(rng, n, (8, 2))]
    for flag, spanish in FLAGS.items():
        answer = r.words(flag, ("Sí", "No"), "exploitation")
        columns[spanish] = np.where(answer == "Sí", yes, answer).astype(object)
    columns |= {
        "Sector": r.several(SECTORS, "labour", " / "),
        "Captador": r.several(RECRUITERS, "recruiter", " / "),
        "Alojamiento": r.words("assistance_accommodation", _STATUS, "assistance"),
        "Atención médica": r.words("assistance_medical", _STATUS, "assistance"),
        "Atención psicosocial": r.words("assistance_psychosocial", _STATUS, "assistance"),
        "Observaciones": np.full(n, "Texto de práctica, ficticio", object),
    }
    r.spoil(columns, REJECTED, EXCLUDED)
    for column, cells in columns.items():
        columns[column] = np.where(cells == "", NONE, cells).astype(object)
    write_csv(path, columns, delimiter=",", encoding="utf-8-sig")


def _parts(r: Records) -> tuple[Texts, Texts, Texts]:
    iso = np.datetime_as_string(r.date)
    parts = np.array([text.split("-") for text in iso.tolist()], object).reshape(-1, 3)
    return parts[:, 2], parts[:, 1], parts[:, 0]


def _countries(r: Records, variable: str, block: str, rng: np.random.Generator) -> Texts:
    """Spanish names, a third of them written without accents."""
    names = [name(code, "es") for code in ALPHA3]
    plain = [_without_accents(text) for text in names]
    bare = rng.random(len(r)) < 1 / 3
    with_accents, without = r.words(variable, names, block), r.words(variable, plain, block)
    return np.where(bare, without, with_accents).astype(object)


def _without_accents(text: str) -> str:
    """The text without marks over or under its letters.

    >>> _without_accents("México")
    'Mexico'
    """
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))
