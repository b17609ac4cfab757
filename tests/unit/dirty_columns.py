"""A fictitious file of 40 columns, each dirty in its own way, with what a person would decide.

For tests of the workbench, the kit and the desk: ``write`` makes the file, ``COLUMNS`` says of each
column what is in it and what it means.  Everything in it is fictitious; nobody in it exists.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROWS = 300
_SEED = 20261127


@dataclass(frozen=True)
class DirtyColumn:
    """A column.

    Attributes:
        name: its header.
        dirt: what is wrong with it.
        cells: makes the cell of a row, out of chance and the number of the row.
        fate: ``read``, ``strip``, ``key``, ``band`` or ``leave``.
        variables: hub variables that it fills.
        truth: texts that are not self-evident, with the code or flag that they mean; None for "not
            recorded".
    """

    name: str
    dirt: str
    cells: Callable[[random.Random, int], str]
    fate: str = "read"
    variables: tuple[str, ...] = ()
    truth: dict[str, str | None] = field(default_factory=dict)


def _of(*texts: str, rare: tuple[str, ...] = ()) -> Callable[[random.Random, int], str]:
    """Mostly some texts, in every twelfth cell a rare one."""

    def cell(chance: random.Random, row: int) -> str:
        return chance.choice(rare if rare and row % 12 == 5 else texts)

    return cell


def _lists(mark: str, *texts: str, rare: tuple[str, ...] = ()) -> Callable[..., str]:
    """One or two of some texts with a mark between them."""

    def cell(chance: random.Random, row: int) -> str:
        found = chance.sample(texts, chance.choice((1, 1, 2)))
        if rare and row % 12 == 7:
            found[0] = chance.choice(rare)
        return mark.join(found)

    return cell


_FIRST = ("Alma", "Besim", "Chiara", "Dawit", "Elira", "Farid", "Gloria", "Hana", "Ikram", "Joyce")
_LAST = ("Zoltane", "Yarovna", "Xabier", "Wolde", "Vasquezo", "Umarova", "Tekle", "Sokolia")


def _name(chance: random.Random, row: int) -> str:
    return f"{_FIRST[row % 10]} {_LAST[(row // 10) % 8]}{'aeiou'[row % 5]}"


def _day(form: str, first: int = 2019, last: int = 2025) -> Callable[[random.Random, int], str]:
    def cell(chance: random.Random, row: int) -> str:
        year, month, day = chance.randint(first, last), chance.randint(1, 12), chance.randint(1, 28)
        return form.format(y=year, m=month, d=day)

    return cell


_FORMS = ("{d:02d}/{m:02d}/{y}", "{d}.{m}.{y}", "{y}-{m:02d}-{d:02d}")

COLUMNS = (
    DirtyColumn("no_dossier", "numbers of cases", lambda c, r: f"RF-{1000 + r}", "key"),
    DirtyColumn("Nom et prénom", "names", _name, "strip"),
    DirtyColumn("tél.", "telephones", lambda c, r: f"+33 6 {r:02d} 55 {r % 97:02d} 10", "strip"),
    DirtyColumn("courriel", "addresses", lambda c, r: f"p{r}@exemple.example", "strip"),
    DirtyColumn(
        "date de naissance", "exact births", _day("{d:02d}/{m:02d}/{y}", 1970, 2010), "band"
    ),
    DirtyColumn("travailleur social", "names of staff", lambda c, r: _name(c, r * 7), "strip"),
    DirtyColumn("adresse", "addresses", lambda c, r: f"{r} rue du Quai imaginaire", "strip"),
    DirtyColumn(
        "observations", "free text",
        lambda c, r: f"Rencontre numéro {r} au centre, à revoir avec l’équipe le mois prochain",
        "strip",
    ),
    DirtyColumn(
        "date d'enregistrement", "day first, three marks",
        lambda c, r: _day(_FORMS[r % 3])(c, r),
        "read", ("year_of_registration",),
    ),
    DirtyColumn(
        "Sexe", "one letter, words, accents, blanks",
        _of("F", "F", "H", rare=("Fém", "femme ", "FEMME", "Homme", "fem.")),
        "read", ("gender",), {"Fém": "female", "fem.": "female"},
    ),
    DirtyColumn(
        "Âge", "units, dashes, a code for unknown",
        lambda c, r: c.choice((str(c.randint(8, 60)), f"{c.randint(14, 45)} ans"))
        if r % 11 else c.choice(("-", "?", "-99")),
        "leave",
    ),
    DirtyColumn("tranche", "codes of a code book", lambda c, r: str(c.randint(0, 9)), "leave"),
    DirtyColumn(
        "Nationalité", "typing errors, adjectives",
        _of("Nigeria", "Albanie", "Roumanie", "Maroc", "Ghana",
            rare=("Nigéria ", "Alabnie", "marocaine", "ROUMANIE", "Rouamnie")),
        "read", ("citizenship",), {"Alabnie": "ALB", "Rouamnie": "ROU"},
    ),
    DirtyColumn(
        "Pays d'exploitation", "two languages, codes",
        _of("France", "Italie", "Italy", "Spain", rare=("FR", "Espagne", "Frnace", "inconnu")),
        "read", ("country_of_exploitation",), {"Frnace": "FRA"},
    ),
    DirtyColumn(
        "Type d'exploitation", "lists, spellings",
        _lists("; ", "Exploitation sexuelle", "Travail forcé", "Mendicité forcée",
               rare=("exploitation sexuele", "TRAVAIL FORCE", "Escroquerie en ligne forcée")),
        "read", ("exploitation_sexual", "exploitation_forced_labour"),
        {"exploitation sexuele": "exploitation_sexual",
         "TRAVAIL FORCE": "exploitation_forced_labour",
         "Escroquerie en ligne forcée": "crime_online_scam"},
    ),
    DirtyColumn(
        "Moyens de contrôle", "commas, blanks, spellings",
        _lists(", ", "Menaces", "Violence physique", "Confiscation des documents", "Dette",
               rare=("menace", "violences physiques", "Fausses promesses")),
        "read", ("means_threats", "means_physical_abuse"),
        {"menace": "means_threats", "violences physiques": "means_physical_abuse"},
    ),
    DirtyColumn(
        "Secteur", "kinds of work, one unknown",
        _of("Agriculture", "Construction", "Travail domestique", "",
            rare=("agricole", "bâtiment", "Hôtellerie", "Onglerie")),
        "read", ("labour_agriculture",),
        {"agricole": "labour_agriculture", "bâtiment": "labour_construction",
         "Hôtellerie": "labour_hospitality", "Onglerie": "labour_other"},
    ),
    DirtyColumn(
        "Lien avec le recruteur", "relations",
        _of("Ami", "Famille", "Partenaire", rare=("ami(e)", "famile", "Inconnu", "Patron")),
        "read", ("recruiter_friend", "recruiter_family"),
        {"ami(e)": "recruiter_friend", "famile": "recruiter_family", "Patron": "recruiter_other"},
    ),
    DirtyColumn(
        "Durée", "units in words",
        _of("6 mois", "1 an", "2 ans", "3 ans", rare=("8 mois", "quelques mois", "5 ans")),
        "leave",
    ),
    DirtyColumn("mineur", "yes and no", _of("oui", "non", "non", rare=("OUI", "nsp")),
                "read", ("majority_status",), {"nsp": None}),
    DirtyColumn("menaces", "yes and no in capitals",
                _of("Oui", "Non", "NON", rare=("non ", "oui!")),
                "read", ("means_threats",), {"oui!": "yes"}),
    DirtyColumn("violence physique", "1 and 0 as decimals", _of("1.0", "0.0", "0.0"),
                "read", ("means_physical_abuse",)),
    DirtyColumn("violence sexuelle", "letters", _of("O", "N", "N", rare=("o", "n")),
                "read", ("means_sexual_abuse",)),
    DirtyColumn("fausses promesses", "true and false", _of("VRAI", "FAUX", rare=("vrai", "faux ")),
                "read", ("means_false_promises",)),
    DirtyColumn("servitude pour dettes", "ticks", _of("x", "", "", ""),
                "read", ("means_debt_bondage",)),
    DirtyColumn("hébergement", "yes and no with remarks",
                _of("oui", "non", rare=("oui (foyer)", "non, refusé", "en cours")),
                "read", ("assistance_accommodation",),
                {"oui": "received", "oui (foyer)": "received", "non, refusé": "declined"}),
    DirtyColumn("soins médicaux", "two languages", _of("oui", "non", "yes", "no"),
                "leave"),
    DirtyColumn("soutien psychosocial", "three codes", _of("1", "0", rare=("9", "99")),
                "leave"),
    DirtyColumn("statut", "words of the law",
                _of("Victime identifiée", "Victime présumée",
                    rare=("victime presumée", "VICTIME IDENTIFIÉE", "identifiee")),
                "read", ("victim_status",),
                {"victime presumée": "presumed", "identifiee": "identified"}),
    DirtyColumn("الجنس", "another form’s sexes, in Arabic",
                _of("أنثى", "ذكر", "", "", rare=("انثى",)),
                "leave"),
    DirtyColumn("نوع الاستغلال", "kinds in Arabic, letters without hamza",
                _of("استغلال جنسي", "عمل قسري", "", rare=("إستغلال جنسي", "عمل قسرى")),
                "leave"),
    DirtyColumn("Mode de recrutement", "long choices",
                _of("Par des amis", "Par une annonce en ligne", "", rare=("annonce internet",)),
                "read", ("recruited_friends", "recruited_online_advert"),
                {"annonce internet": "recruited_online_advert"}),
    DirtyColumn("nb_enfants", "counts", lambda c, r: str(c.randint(0, 5)), "leave"),
    DirtyColumn("latitude", "decimals", lambda c, r: f"{43 + c.random():.4f}", "leave"),
    DirtyColumn("source", "one text in all rows", lambda c, r: "Refuge", "leave"),
    DirtyColumn("signes", "signs instead of words", _of("-", "--", "n/d", "…"), "leave"),
    DirtyColumn("vide", "nothing", lambda c, r: "", "leave"),
    DirtyColumn("Unnamed: 37", "a header of a program", _of("a", "b", ""), "leave"),
    DirtyColumn("langue", "languages, mixed", _of("fr", "anglais", "English", "ar"), "leave"),
    DirtyColumn("_uuid", "keys of a system",
                lambda c, r: f"{c.getrandbits(64):016x}-{r:04x}", "strip"),
)  # fmt: skip


def rows(n: int = ROWS) -> list[list[str]]:
    """The cells of the file, row by row; always the same."""
    chance = random.Random(_SEED)
    return [[column.cells(chance, row) for column in COLUMNS] for row in range(n)]


def write(path: Path, n: int = ROWS) -> Path:
    """Write the file as a spreadsheet saves a CSV in French: ``;`` and Windows-1252 where it can.

    Args:
        path: a new ``.csv``; or ``.xlsx``, where openpyxl writes the same cells.
        n: rows.
    """
    header = [column.name for column in COLUMNS]
    if path.suffix == ".xlsx":
        from openpyxl import Workbook

        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for line in [header, *rows(n)]:
            sheet.append(line)
            for cell in sheet[sheet.max_row]:
                cell.data_type = "s"
        book.save(path)
        return path
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, delimiter=";").writerows([header, *rows(n)])
    return path
