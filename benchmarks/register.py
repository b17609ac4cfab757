"""The register of a French-speaking shelter as people keep it in Excel, with the truth beside.

120 fictitious people under a merged title, a line "updated by" and an empty row; below them a
total and two notes; a second sheet of lists.  It was written without a look at the words that
drafts know, and nobody edits both in one commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from pathlib import Path

PEOPLE = 120
SHEET = "Accueil"
ABOVE = ("Registre d'accueil 2019 – 2022", "mis à jour par : la coordinatrice", None)
BELOW = (("TOTAL", PEOPLE), ("* NSP : ne sait pas",), ("** à revoir à la prochaine réunion",))
LISTS = ("Sexe", "F", "H", "Suivi", "X", "Exploitation", "sexuelle", "travail")

Cell = str | int | date | None
Truth = Mapping[str, str]
"""Of a person or a text: a value of each variable that is known; others are not recorded."""

SEXUAL, LABOUR = {"exploitation_sexual": "yes"}, {"exploitation_forced_labour": "yes"}
FEMALE, MALE = {"gender": "female"}, {"gender": "male"}
NIGERIA, GUINEA = {"citizenship": "NGA"}, {"citizenship": "GIN"}


@dataclass(frozen=True)
class Column:
    """A header, and texts with what each of them means, in the order in which they come."""

    header: str
    cells: tuple[tuple[Cell, Truth], ...]


def _year(year: int) -> Truth:
    return {"year_of_registration": str(year)}


def _age(band: str) -> Truth:
    adult = "minor" if band in ("0-8", "9-17") else "adult"
    return {"age_band": band, "majority_status": adult}


def _plain(*texts: Cell) -> tuple[tuple[Cell, Truth], ...]:
    return tuple((text, {}) for text in texts)


DATES: tuple[tuple[Cell, Truth], ...] = (
    ("14/01/2019", _year(2019)),
    (date(2019, 6, 3), _year(2019)),
    ("22/09/21", _year(2021)),
    (date(2020, 11, 27), _year(2020)),
    (2020, _year(2020)),
    ("30/05/2021", _year(2021)),
    (date(2022, 2, 8), _year(2022)),
    ("vers mars 2020", _year(2020)),
    ("17/12/2021", _year(2021)),
    ("NSP", {}),
    (date(2021, 8, 19), _year(2021)),
)
AGES: tuple[tuple[Cell, Truth], ...] = (
    (24, _age("24-26")),
    ("17 ans", _age("9-17")),
    (31, _age("30-38")),
    (22, _age("21-23")),
    ("env. 16 ans", _age("9-17")),
    (28, _age("27-29")),
    (19, _age("18-20")),
    ("Mineure", {"majority_status": "minor"}),
    (42, _age("39-47")),
    ("?", {}),
    (25, _age("24-26")),
    (36, _age("30-38")),
    (51, _age("48+")),
)
COLUMNS = (
    Column("N° de dossier", _plain(*(f"AC-{400 + i}" for i in range(PEOPLE)))),
    Column("Nom de famille", _plain(*(f"Fictif-{i % 37}" for i in range(PEOPLE)))),
    Column("Prénom", _plain("Inventée", "Imaginaire", "Exemple", "Modèle", "Essai")),
    Column("Tél.", _plain(*(f"06 00 {i // 100:02d} {i % 100:02d} 00" for i in range(PEOPLE)))),
    Column("Date d'entrée", DATES),
    Column(
        "Sexe",
        (
            ("F", FEMALE),
            ("Femme", FEMALE),
            ("F", FEMALE),
            ("féminin", FEMALE),
            ("H", MALE),
            ("F", FEMALE),
            ("Homme", MALE),
        ),
    ),
    Column("Âge", AGES),
    Column(
        "Nationalité",
        (
            ("nigériane", NIGERIA),
            ("Guinéenne", GUINEA),
            ("Nigéria", NIGERIA),
            ("ivoirienne", {"citizenship": "CIV"}),
            ("Maroc", {"citizenship": "MAR"}),
        ),
    ),
    Column("Pays d'origine", _plain("Nigéria", "Guinée", "Lagos", "Côte d'Ivoire", "Maroc")),
    Column(
        "Exploitation",
        (
            ("sexuelle", SEXUAL),
            ("Travail forcé", LABOUR),
            ("sexuelle", SEXUAL),
            ("sexuelle + travail forcé", {**SEXUAL, **LABOUR}),
            ("domestique", {**LABOUR, "labour_domestic_work": "yes"}),
            ("mendicité", {**LABOUR, "labour_begging": "yes"}),
        ),
    ),
    Column(
        "Lieu de l'exploitation",
        (
            ("France", {"country_of_exploitation": "FRA"}),
            ("Italie", {"country_of_exploitation": "ITA"}),
            ("France", {"country_of_exploitation": "FRA"}),
            ("Marseille", {"country_of_exploitation": "FRA"}),
            ("Libye", {"country_of_exploitation": "LBY"}),
        ),
    ),
    Column(
        "Recruteur",
        (
            ("un ami", {"recruiter_friend": "yes"}),
            ("la famille", {"recruiter_family": "yes"}),
            ("conjoint", {"recruiter_intimate_partner": "yes"}),
            ("inconnu", {"recruiter_other": "yes"}),
            (None, {}),
        ),
    ),
    Column(
        "Hébergement",
        (
            ("X", {"assistance_accommodation": "received"}),
            (None, {}),
            ("x", {"assistance_accommodation": "received"}),
        ),
    ),
    Column("Suivi psychologique", (("X", {"assistance_psychosocial": "received"}), (None, {}))),
    Column("Suivi juridique", _plain("X", None, None)),
    Column("Enfants", _plain(0, 2, None, 1)),
    Column(
        "Consentement",
        _plain(*("oui" if i % 14 else None for i in range(PEOPLE))),
    ),
    Column(
        "Récit", _plain(*(f"Récit fictif de la personne {i}, à relire." for i in range(PEOPLE)))
    ),
)
CONSENT = "Consentement"


@dataclass(frozen=True)
class Person:
    """A row of the register: its number in the workbook, its cells and what is true."""

    row: int
    cells: dict[str, Cell]
    truth: dict[str, str]

    @property
    def consents(self) -> bool:
        """Whether the register says so."""
        return self.cells[CONSENT] == "oui"


def people() -> list[Person]:
    """The people of the register, in its order."""
    first = len(ABOVE) + 2
    rows = zip(*(cycle(column.cells) for column in COLUMNS), strict=False)
    made = []
    for row, cells in zip(range(first, first + PEOPLE), rows, strict=False):
        texts = {c.header: text for c, (text, _) in zip(COLUMNS, cells, strict=True)}
        truth = {name: code for _, means in cells for name, code in means.items()}
        made.append(Person(row, texts, truth))
    return made


def write(path: Path) -> Path:
    """The workbook, as the shelter would send it."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    for text in ABOVE:
        sheet.append([text])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(COLUMNS))
    sheet.append([column.header for column in COLUMNS])
    for person in people():
        sheet.append(list(person.cells.values()))
        if isinstance(person.cells["Date d'entrée"], date):
            sheet.cell(person.row, 5).number_format = "dd/mm/yyyy"
    for below in BELOW:
        sheet.append(list(below))
    lists = book.create_sheet("Listes")
    for text in LISTS:
        lists.append([text])
    book.save(path)
    return path
