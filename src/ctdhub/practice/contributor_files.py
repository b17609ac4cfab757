"""The files of four fictitious contributors: what each wrote down, in a format of its own."""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import read_shipped
from ctdhub.core.tables import put_rows
from ctdhub.document.spreadsheet import PlainSheet, write_spreadsheet
from ctdhub.practice.people import BANDS, BLOCKS, Bools, Ints, Marginals, People, pick
from ctdhub.schema.countries import ALPHA3, ALPHA3_TO_ALPHA2, name
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# What a contributor wrote down about the people it knows: rows, dates, and what it left empty.

Texts = NDArray[np.object_]
PLANTED_BLOCKS = ("gender", "citizenship", "country")
"""Blocks that are always recorded for people of the planted corridor."""


@dataclass(frozen=True)
class Records:
    """Rows of one contributor; every array has one entry per row.

    Attributes:
        people: the fictitious people.
        person: position of the row's person in ``people``.
        date: day of registration (datetime64[D]).
        missing: block to whether the row leaves it empty.
        extra: positions of rows that are added to be refused: "rejected" and every exclusion.
    """

    people: People
    person: Ints
    date: NDArray[np.datetime64]
    missing: dict[str, Bools]
    extra: dict[str, Ints]

    def __len__(self) -> int:
        return len(self.person)

    def code(self, name: str) -> Ints:
        """Positions in the domain of a hub variable, -1 where nothing is true of the person."""
        return self.people.codes[name][self.person]

    def words(self, name: str, words: Sequence[str] | Mapping[str, str], block: str) -> Texts:
        """The contributor's words for a code, "" where missing.

        Args:
            name: hub variable.
            words: one per code in the order of the domain, or a mapping from hub code to word.
            block: the block that decides what is missing.
        """
        if isinstance(words, Mapping):
            words = [words[code] for code in load_schema().domain(name)]
        texts = np.array([*words, ""], object)[self.code(name)]
        texts[self.missing[block]] = ""
        return texts

    def spoil(
        self,
        columns: dict[str, Texts],
        rejected: Sequence[tuple[str, object]],
        excluded: Mapping[str, tuple[str, object]],
    ) -> None:
        """Turn the added rows into ones that the hub must reject, or exclude by a named rule."""
        for i, place in enumerate(self.extra["rejected"]):
            column, value = rejected[i % len(rejected)]
            columns[column][place] = value
        for rule, (column, value) in excluded.items():
            columns[column][self.extra[rule]] = value

    def several(self, words: Mapping[str, str], block: str, separator: str = "; ") -> Texts:
        """A list of the words whose flags are yes, "" where missing or where none is yes."""
        texts = np.full(len(self), "", object)
        for flag, word in words.items():
            yes = self.people.is_yes(flag)[self.person] & ~self.missing[block]
            tail = np.where(texts == "", word, separator + word).astype(object)
            texts = np.where(yes, texts + tail, texts)
        return texts


def record(
    people: People,
    contributor: str,
    exclusions: Iterable[str],
    rng: np.random.Generator,
    m: Marginals,
) -> Records:
    """The rows that a contributor wrote, in random order.

    A person whom another list registered first may come a year later; some people of a
    contributor with ``repeat`` have a second row up to 60 days later.  Rows that the hub must
    refuse are added, so every person of the contributor has at least one good row.
    """
    model = m.contributors[contributor]
    column = m.ids.index(contributor)
    (person,) = np.nonzero(people.known[:, column])
    year = people.year[person]
    later = (people.first_list[person] != column) & (year < model.years[1])
    later &= rng.random(len(person)) < m.lists.later_year
    date = _days(year + later, rng)
    again = np.flatnonzero(rng.random(len(person)) < model.repeat)
    ends = (date.astype("datetime64[Y]") + np.timedelta64(1, "Y")).astype(
        "datetime64[D]"
    ) - np.timedelta64(1, "D")
    second = np.minimum(date + rng.integers(1, 60, len(date)).astype("timedelta64[D]"), ends)
    counts = {"rejected": max(3, round(m.faulty_rows * len(person)))}
    counts |= {rule: max(2, round(m.excluded_rows * len(person))) for rule in exclusions}
    copied = rng.integers(0, len(person), sum(counts.values()))
    rows = np.concatenate([np.arange(len(person)), again, copied])
    date = np.concatenate([date, second[again], date[copied]])
    order = rng.permutation(len(rows))
    person, date = person[rows][order], date[order]
    place = np.argsort(order)[len(rows) - len(copied) :]
    splits = np.cumsum(list(counts.values()))[:-1]
    extra = dict(zip(counts, np.split(place, splits), strict=True))
    missing = _missing(people, person, date, contributor, rng, m)
    return Records(people, person, date, missing, extra)


def _days(year: Ints, rng: np.random.Generator) -> NDArray[np.datetime64]:
    start = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days: NDArray[np.datetime64] = start + rng.integers(0, 365, len(year)).astype("timedelta64[D]")
    return days


def _missing(
    people: People,
    person: Ints,
    date: NDArray[np.datetime64],
    contributor: str,
    rng: np.random.Generator,
    m: Marginals,
) -> dict[str, Bools]:
    """Blocks go missing together: a Gaussian copula over a record's hidden quality."""
    model = m.contributors[contributor]
    rho = m.missing_together
    quality = rng.normal(size=len(person))
    early = date.astype("datetime64[Y]").astype(int) + 1970 <= model.early.get("until", 0)
    gaps = {}
    for block in BLOCKS:
        share = np.where(early, model.early.get(block, model.missing[block]), model.missing[block])
        own = rho**0.5 * quality + (1 - rho) ** 0.5 * rng.normal(size=len(person))
        gaps[block] = own < _limits(share)
        if block in PLANTED_BLOCKS:
            gaps[block] &= ~people.planted[person]
    return gaps


def _limits(share: NDArray[np.float64]) -> NDArray[np.float64]:
    limit = {0.0: -np.inf, 1.0: np.inf}
    for value in set(share.tolist()) - set(limit):
        limit[value] = NormalDist().inv_cdf(value)
    return np.array([limit[value] for value in share.tolist()])


# --------------------------------------------------------------------------------------------------
# Keyed link tokens and identifiers that nobody can mistake for real ones.

PRACTICE_KEY = b"practice key: invented, public, protects nobody"


def token(person: int) -> str:
    """HMAC-SHA256 of a fictitious person's number with the public practice key, in hex.

    >>> len(token(1)), token(1) == token(1), token(1) == token(2)
    (64, True, False)
    """
    return hmac.new(PRACTICE_KEY, b"%d" % person, hashlib.sha256).hexdigest()


def tokens(people: int) -> Texts:
    """Tokens of the people numbered from 1."""
    return np.array([token(i) for i in range(1, people + 1)], object)


def numbered(text: str, numbers: Iterable[int]) -> Texts:
    """The text with each number put into it: placeholders in place of names and case numbers.

    >>> numbered("PRACTICE-{:06d}", [12]).tolist()
    ['PRACTICE-000012']
    """
    return np.array([text.format(int(n)) for n in numbers], object)


def telephones(numbers: Iterable[int]) -> Texts:
    """Telephone numbers from the range that Ofcom keeps for drama (07700 900000 to 900999).

    >>> telephones([5, 1005]).tolist()
    ['+44 7700 900005', '+44 7700 900005']
    """
    return numbered("+44 7700 900{:03d}", (int(n) % 1000 for n in numbers))


# --------------------------------------------------------------------------------------------------
# How a contributor's file looks, and its words, which are data.


class Layout(FrozenModel):
    """How a contributor's file looks, and the words in it.

    Attributes:
        file: its name.
        sheet: of a workbook; empty for a text file.
        delimiter, encoding: of a text file.
        none: what stands in an empty cell of it.
        rejected: columns, and values in them that a hub must refuse.
        excluded: by rule, a column and the value for which a hub leaves the row out.
        words: what it writes for variables of the hub, by part of the record.
        drawn: by column the words that are drawn for it, with their weights.
    """

    file: str
    sheet: str = ""
    delimiter: str = ""
    encoding: str = ""
    none: str = ""
    rejected: tuple[tuple[str, str], ...]
    excluded: dict[str, tuple[str, str]]
    words: dict[str, dict[Any, str]] = Field(default={})
    drawn: dict[str, dict[str, int]] = Field(default={})


@cache
def layouts() -> dict[str, Layout]:
    """The layout of each contributor's file."""
    shipped = read_shipped(resources.files("ctdhub.practice") / "data" / "files.yaml")
    return {contributor: Layout.model_validate(one) for contributor, one in shipped.items()}


def write(
    path: Path,
    contributor: str,
    r: Records,
    tokens: Texts,
    rng: np.random.Generator,
    m: Marginals,
) -> None:
    """Write the file of a contributor.

    Args:
        tokens: link tokens of all people; who calls a hotline leaves none.
    """
    layout = layouts()[contributor]
    columns = _COLUMNS[contributor](r, layout, tokens, rng, m)
    r.spoil(columns, layout.rejected, layout.excluded)
    if layout.none:
        columns = {n: _either(cells == "", layout.none, cells) for n, cells in columns.items()}
    rows = zip(*columns.values(), strict=True)
    if layout.sheet:
        labels = tuple(layout.words.get("names", {}).values())
        heads = [tuple(columns), labels] if labels else [tuple(columns)]
        widths = [WIDTH] * len(columns)
        sheet = PlainSheet(layout.sheet, widths, chain(heads, rows), heading=False, placed=True)
        write_spreadsheet(path, [sheet])
    else:
        with path.open("w", encoding=layout.encoding, newline="") as file:
            put_rows(file, tuple(columns), rows, delimiter=layout.delimiter, end="\r\n", as_is=True)


WIDTH = 16
"""Letters of a column of a workbook."""
Columns = dict[str, Texts]


def _drawn(rng: np.random.Generator, n: int, weights: Mapping[str, int]) -> Texts:
    """n words drawn with the given weights."""
    return np.array(list(weights), object)[pick(rng, n, list(weights.values()))]


def _either(chosen: Bools, one: ArrayLike, other: ArrayLike) -> Texts:
    return np.where(chosen, one, other).astype(object)


# --------------------------------------------------------------------------------------------------
# The case management CSV: ``;``, Windows-1252, -99, 0/1 flags, alpha-2 codes, full grain.

_ONE_ONLY = {
    "means_restricts_financial_access",
    "means_uses_children",
    "means_withholds_documents",
    "means_other",
}
"""Flags that are 1 or empty, never 0 (codebook v6)."""


def _casework(
    r: Records, layout: Layout, tokens: Texts, rng: np.random.Generator, m: Marginals
) -> Columns:
    n, alpha2 = len(r), [ALPHA3_TO_ALPHA2[code] for code in ALPHA3]
    columns = {
        "CaseNo": numbered("PRACTICE-{:06d}", np.arange(1, n + 1)),
        "ClientName": numbered("Practice person {}", r.person + 1),
        "ClientPhone": telephones(r.person + 1),
        "LinkToken": tokens[r.person],
        "IntakeDate": np.datetime_as_string(r.date).astype(object),
        "CaseStatus": _drawn(rng, n, layout.drawn["CaseStatus"]),
        "Consent": np.full(n, "Y", object),
        "Sex": r.words("gender", ("F", "M", "T"), "gender"),
        "Age": r.people.age[r.person].astype(str).astype(object),
        "MinorAtExploitation": r.words("majority_at_exploitation", ("1", "0"), "duration"),
        "MinorAtEntry": r.words("majority_at_entry", ("1", "0"), "duration"),
        "Nationality": r.words("citizenship", alpha2, "citizenship"),
        "CountryOfExploitation": r.words("country_of_exploitation", alpha2, "country"),
        "CountryRule": r.words(
            "country_of_exploitation_rule", ("LAST", "IDENT", "ASSIST", "REF"), "country"
        ),
        "MonthsExploited": r.people.months[r.person].astype(str).astype(object),
        "Abduction": r.words("abduction", ("1", "0"), "exploitation"),
    }
    columns["Age"][r.missing["age"]] = ""
    columns["MonthsExploited"][r.missing["duration"]] = ""
    groups = {g: g for g in ("means", "exploitation", "labour", "sex", "recruiter")}
    for group, block in (groups | {"crime": "exploitation", "ict": "means"}).items():
        for flag in load_schema().flags(group):
            no = "-99" if flag in _ONE_ONLY else "0"
            columns[_column_name(flag)] = r.words(flag, ("1", no), block)
    for flag, block in (("labour_not_specified", "labour"), ("recruiter_unknown", "recruiter")):
        columns[_column_name(flag)] = r.words(flag, ("1", "0"), block)
        columns[_column_name(flag)][r.missing[block]] = "1"
    columns["MeansNotSpecified"] = _either(r.missing["means"], "1", "0")
    for kind in m.assistance.need:
        status = r.words(f"assistance_{kind}", ("N", "O", "R", "D", "X"), "assistance")
        columns[_column_name(f"assistance_{kind}")] = status
    columns |= _perpetrators(r, layout.drawn, rng)
    columns["Notes"] = np.full(n, "Practice note – fictitious, nobody said this", object)
    return columns


def _column_name(variable: str) -> str:
    """The contributor's column for a hub variable.

    >>> _column_name("means_debt_bondage")
    'MeansDebtBondage'
    """
    return "".join(part.capitalize() for part in variable.split("_"))


def _perpetrators(
    r: Records, drawn: Mapping[str, Mapping[str, int]], rng: np.random.Generator
) -> Columns:
    """One to three perpetrators a row as lists aligned by position."""
    n = len(r)
    count = 1 + pick(rng, n, (68, 24, 8))
    count[r.missing["perpetrator"]] = 0
    related = (r.code("recruiter_family") == 0) | (r.code("recruiter_intimate_partner") == 0)
    relation = np.where(related, pick(rng, n, (5, 4, 1, 1)), pick(rng, n, (1, 1, 3, 6)))
    names = ("PerpGender", "PerpAgeBand", "PerpRole", "PerpRelation")
    first = {"PerpRelation": relation}
    return {name: _aligned(rng, drawn[name], count, first.get(name)) for name in names}


def _aligned(
    rng: np.random.Generator, words: Mapping[str, int], count: Ints, first: Ints | None = None
) -> Texts:
    chosen = np.stack([pick(rng, len(count), list(words.values())) for _ in range(3)])
    if first is not None:
        chosen[0] = first
    texts = np.full(len(count), "", object)
    for i, row in enumerate(np.array(list(words), object)[chosen]):
        texts = _either(count > i, texts + (";" if i else "") + row, texts)
    return texts


# --------------------------------------------------------------------------------------------------
# The hotline workbook: one row per call on a situation, English labels, ``;`` lists.


def _hotline(
    r: Records, layout: Layout, _tokens: Texts, rng: np.random.Generator, _m: Marginals
) -> Columns:
    n, english, words = len(r), [name(code, "en") for code in ALPHA3], layout.words
    columns: Columns = {
        "Situation ID": numbered("PRACTICE-SIT-{:07d}", r.person + 1),
        "Report date": r.date.astype(object),
        "Contact": _drawn(rng, n, layout.drawn["Contact"]),
        "Caller name": numbered("Practice caller {}", np.arange(1, n + 1)),
        "Caller phone": telephones(rng.integers(0, 1000, n)),
        "Caller relation": _drawn(rng, n, layout.drawn["Caller relation"]),
        "Assessment": _drawn(rng, n, layout.drawn["Assessment"]),
        "Consent to share": np.full(n, "Yes", object),
        "Gender": r.words("gender", ("Female", "Male", "Transgender/NonConforming"), "gender"),
        "Age": _said_ages(r, rng),
        "Nationalities": _nationalities(r, english, rng),
        "Country of situation": r.words("country_of_exploitation", english, "country"),
        "Type of trafficking": r.several(words["exploitation"], "exploitation"),
        "Labor venue": r.several(words["labour"], "labour"),
        "Sex venue": r.several(words["sex"], "sex"),
        "Means of control": r.several(words["means"], "means"),
        "Relationship of recruiter": r.several(words["recruiter"], "recruiter"),
        "Call notes": np.full(n, "Practice note: fictitious, nobody called", object),
    }
    unsaid = (columns["Means of control"] == "") & (rng.random(n) < 0.5)
    columns["Means of control"][unsaid] = "Not Specified"
    return columns


def _said_ages(r: Records, rng: np.random.Generator) -> Texts:
    """Ages as callers give them: a number, a band, or only minor or adult."""
    age, band = r.people.age[r.person], r.code("age_band")
    bands = [f"{low} to {high}" for low, high in BANDS[:-1]] + ["48 and over"]
    style = pick(rng, len(r), (50, 30, 12, 8))
    whole = np.array([int(a) for a in age], object)
    ages = np.where(style == 0, whole, np.array(bands, object)[band])
    vague = np.where(age < 18, "Minor", "Adult")
    ages = _either(style == 2, vague, ages)
    ages[(style == 3) | r.missing["age"]] = "Unknown"
    return ages


def _nationalities(r: Records, english: Sequence[str], rng: np.random.Generator) -> Texts:
    """One nationality, for some people two: the person's own comes first."""
    own = r.words("citizenship", english, "citizenship")
    second = r.words("country_of_exploitation", english, "citizenship")
    two = (rng.random(len(r)) < 0.06) & (own != "") & (own != second)
    return _either(two, own + "; " + second, own)


# --------------------------------------------------------------------------------------------------
# The refuge's workbook: HTCDS 2.0 Excel template, French labels, two header rows.
#
# Structure: Human Trafficking Case Data Standard 2.0, Excel template (UNMigration/HTCDS, CC BY
# 4.0).  Labels carry the blanks at their end that the standard's own picklists have; that of the
# means has none for restricted movement.


def _refuge(
    r: Records, layout: Layout, tokens: Texts, rng: np.random.Generator, _m: Marginals
) -> Columns:
    n, french, words = len(r), [name(code, "fr") for code in ALPHA3], layout.words
    genders = ("Féminin\u00a0", "Masculin\u00a0", "Transgenre féminin\u00a0")
    columns: Columns = {column: np.full(n, "", object) for column in words["names"]}
    columns |= {
        "cas_CaseOwner": np.full(n, "Équipe de pratique", object),
        "prs_FirstName": numbered("Personne de pratique {}", r.person + 1),
        "con_Consent": np.full(n, "Oui", object),
        "prs_Birthdate": _births(r, rng).astype(object),
        "prs_Gender": r.words("gender", genders, "gender"),
        "prs_Citizenship": r.words("citizenship", french, "citizenship"),
        "prs_Email": numbered("pratique{}@example.org", r.person + 1),
        "prs_MobilePhone": telephones(r.person + 1),
        "vic_TraffickingStatus": _drawn(rng, n, layout.drawn["vic_TraffickingStatus"]),
        "vic_MethodOfRecruitment": _drawn(rng, n, layout.drawn["vic_MethodOfRecruitment"]),
        "vic_MethodsOfControl": r.several(words["means"], "means", ";"),
        "vic_TypeOfExploitation": _situations(r, words["exploitation"]),
        "vic_ForcedLabourIndustry": r.several(words["labour"], "labour", ";"),
        "vic_TypeOfSexExploitation": r.several(words["sex"], "sex", ";"),
        "vic_LocationOfExploitation": r.words("country_of_exploitation", french, "country"),
        "cas_Status": _drawn(rng, n, layout.drawn["cas_Status"]),
        "cas_IncomingReferralDate": r.date.astype(object),
        "cas_IncomingReferralDetails": np.full(n, "Texte d’exercice, fictif", object),
        "x_LinkToken": tokens[r.person],
    }
    columns["prs_Birthdate"][r.missing["age"]] = ""
    return columns


def _births(r: Records, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """A birth date that makes the person's age in completed years right on the day of referral."""
    month = r.date.astype("datetime64[M]")
    day = r.date - month.astype("datetime64[D]")
    then = month - (12 * r.people.age[r.person]).astype("timedelta64[M]")
    before = rng.integers(1, 364, len(r)).astype("timedelta64[D]")
    born: NDArray[np.datetime64] = then.astype("datetime64[D]") + day - before
    return born


def _situations(r: Records, words: Mapping[Any, str]) -> Texts:
    """Types of exploitation; forced labour has three labels in the standard."""
    begging = r.people.is_yes("labour_begging")[r.person]
    minor = r.people.age[r.person] < 18
    label = np.where(minor, "Travail des enfants", "Travail forcé")
    label = np.where(begging, "Mendicité forcée", label)
    labour = r.people.is_yes("exploitation_forced_labour")[r.person] & ~r.missing["exploitation"]
    others = r.several(words, "exploitation", ";")
    both = np.where(others == "", label, others + ";" + label.astype(object))
    return _either(labour, both, others)


# --------------------------------------------------------------------------------------------------
# The observatory's CSV: Spanish, comma, UTF-8 with byte order mark, bands of its own by their last
# year of age; "24 a 29" and "46 y más" do not nest in the hub's bands.


def _observatory(
    r: Records, layout: Layout, tokens: Texts, rng: np.random.Generator, _m: Marginals
) -> Columns:
    n, words = len(r), layout.words
    iso = [text.split("-") for text in np.datetime_as_string(r.date).tolist()]
    year, month, day = np.array(iso, object).reshape(-1, 3).T
    bands = list(words["age"])
    ages = np.array(list(words["age"].values()), object)[
        np.searchsorted(bands, r.people.age[r.person])
    ]
    ages[r.missing["age"]] = ""
    statuses = ("Necesita", "Ofrecido", "Recibido", "Rechazado", "No disponible")
    months = ("0 a 12", "13 a 24", "25 a 36", "37 y más")
    columns: Columns = {
        "Expediente": numbered("PRACTICA-{:06d}", np.arange(1, n + 1)),
        "Código de enlace": tokens[r.person],
        "Fecha": day + "/" + month + "/" + year,
        "Condición": _drawn(rng, n, layout.drawn["Condición"]),
        "Consentimiento": np.full(n, "Sí", object),
        "Sexo": r.words("gender", ("Mujer", "Hombre", "Trans"), "gender"),
        "Grupo de edad": ages,
        "Nacionalidad": _countries(r, "citizenship", "citizenship", rng),
        "País de explotación": _countries(r, "country_of_exploitation", "country", rng),
        "Meses de explotación": r.words("trafficking_duration", months, "duration"),
    }
    yes = _drawn(rng, n, layout.drawn["yes"])
    for flag, spanish in words["exploitation"].items():
        answer = r.words(flag, ("Sí", "No"), "exploitation")
        columns[spanish] = _either(answer == "Sí", yes, answer)
    columns |= {
        "Sector": r.several(words["labour"], "labour", " / "),
        "Captador": r.several(words["recruiter"], "recruiter", " / "),
        "Alojamiento": r.words("assistance_accommodation", statuses, "assistance"),
        "Atención médica": r.words("assistance_medical", statuses, "assistance"),
        "Atención psicosocial": r.words("assistance_psychosocial", statuses, "assistance"),
        "Observaciones": np.full(n, "Texto de práctica, ficticio", object),
    }
    return columns


def _countries(r: Records, variable: str, block: str, rng: np.random.Generator) -> Texts:
    """Spanish names, a third of them written without accents."""
    names = [name(code, "es") for code in ALPHA3]
    plain = [_without_accents(text) for text in names]
    bare = rng.random(len(r)) < 1 / 3
    with_accents, without = r.words(variable, names, block), r.words(variable, plain, block)
    return _either(bare, without, with_accents)


def _without_accents(text: str) -> str:
    """The text without marks over or under its letters.

    >>> _without_accents("México")
    'Mexico'
    """
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


_COLUMNS: dict[str, Callable[[Records, Layout, Texts, np.random.Generator, Marginals], Columns]] = {
    "harbour-casework": _casework,
    "beacon-hotline": _hotline,
    "rivage-refuge": _refuge,
    "mirador-observatory": _observatory,
}

CONTRIBUTORS = tuple(_COLUMNS)
"""Ids of the fictitious contributors."""
