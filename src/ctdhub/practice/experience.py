"""What happened to fictitious people: ages, exploitation, means of control, assistance."""

from __future__ import annotations

import numpy as np

from ctdhub.practice.chance import Bools, Ints, pick, pick_rows
from ctdhub.practice.marginals import Marginals
from ctdhub.schema import countries
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema

BANDS = ((0, 8), (9, 17), (18, 20), (21, 23), (24, 26), (27, 29), (30, 38), (39, 47), (48, 75))
"""First and last age in years of the nine age bands of the schema."""

KINDS_OF_CRIME = (45, 30, 15, 10)
"""How often forced criminality is of each kind, in the order of the schema."""
RARE = 0.05
"""Share of people in another exploitation that was surrogacy or illegal adoption."""
TECHNOLOGY = {"ict_recruitment": 0.3, "ict_control": 0.15, "ict_exploitation": 0.05}
"""Shares of people for whom technology was used."""


def draw_ages(
    codes: dict[str, Ints], latent: Ints, rng: np.random.Generator, m: Marginals
) -> tuple[Ints, Ints]:
    """Ages in years and months of exploitation; puts bands, majorities and duration in codes.

    Nobody is exploited for longer than they have lived.
    """
    n = len(latent)
    kinds = list(m.classes.values())
    band = pick_rows(rng, np.array([c.ages for c in kinds]), latent)
    low, high = np.array(BANDS).T
    age = rng.integers(low[band], high[band] + 1)
    duration = pick_rows(rng, np.array([c.duration for c in kinds]), latent)
    starts, ends = np.array([0, 13, 25, 37]), np.array([12, 24, 36, 96])
    months = np.minimum(rng.integers(starts[duration], ends[duration] + 1), age * 12)
    began = age - -(-months // 12)
    codes["age_band"] = band
    codes["majority_status"] = (age >= 18).astype(np.int64)
    codes["majority_at_exploitation"] = (began >= 18).astype(np.int64)
    codes["majority_at_entry"] = (began - (rng.random(n) < 0.1) >= 18).astype(np.int64)
    codes["trafficking_duration"] = np.searchsorted(ends[:3], months)
    return age, months


def draw_experience(
    codes: dict[str, Ints], latent: Ints, rng: np.random.Generator, m: Marginals
) -> None:
    """Flags of the five groups, from the latent class and a hidden severity."""
    n, kinds = len(latent), list(m.classes.values())
    schema = load_schema()

    def put(name: str, yes: Bools) -> None:
        codes[name] = np.where(yes, 0, 1)

    for flag in schema.flags("exploitation"):
        short = flag.removeprefix("exploitation_")
        put(flag, np.array([short in c.exploitation for c in kinds])[latent])
    both = (codes["exploitation_sexual"] == 0) & (codes["exploitation_forced_labour"] == 0)
    put("exploitation_sex_and_labour", both)
    for group in ("labour", "sex", "recruiter"):
        flags = schema.flags(group)
        names = [*(f.removeprefix(f"{group}_") for f in flags), "none"]
        tables = [getattr(c, group) for c in kinds]
        weights = np.array([[t.get(k, 0.0) for k in names] for t in tables])
        main = pick_rows(rng, weights, latent)
        second = np.where(rng.random(n) < m.second_kind, pick_rows(rng, weights, latent), main)
        for i, flag in enumerate(flags):
            put(flag, (main == i) | (second == i))
        unsaid = main == len(flags)
        if group == "labour":
            put("labour_not_specified", unsaid & (codes["exploitation_forced_labour"] == 0))
        if group == "recruiter":
            put("recruiter_unknown", unsaid)
    severity = rng.normal(0.0, m.severity, n)
    for flag in schema.flags("means"):
        short = flag.removeprefix("means_")
        chance = np.array([c.means.get(short, m.means_default) for c in kinds])[latent]
        put(flag, rng.random(n) < 1 / (1 + (1 / chance - 1) * np.exp(-severity)))
    put("abduction", rng.random(n) < np.array([c.abduction for c in kinds])[latent])


def draw_crime_and_technology(codes: dict[str, Ints], rng: np.random.Generator) -> None:
    """Forced criminality and its kinds, surrogacy, illegal adoption, use of technology.

    Whoever was put to illicit activities was exploited by forced criminality, of one kind; whoever
    was made to deceive people online was exploited by technology.
    """
    n, schema = len(codes["gender"]), load_schema()

    def put(name: str, yes: Bools) -> None:
        codes[name] = np.where(yes, 0, 1)

    forced = codes["labour_illicit_activities"] == 0
    put("exploitation_forced_criminality", forced)
    kind = pick(rng, n, KINDS_OF_CRIME)
    for i, flag in enumerate(schema.flags("crime")):
        put(flag, forced & (kind == i))
    rare = (codes["exploitation_other"] == 0) & (rng.random(n) < RARE)
    surrogate = codes["gender"] == schema.domain("gender").index("female")
    put("exploitation_surrogacy", rare & surrogate)
    put("exploitation_illegal_adoption", rare & ~surrogate)
    remote = (codes["sex_remote_interactive_services"] == 0) | (codes["crime_online_scam"] == 0)
    for flag, chance in TECHNOLOGY.items():
        put(flag, rng.random(n) < chance)
    put("ict_exploitation", remote | (codes["ict_exploitation"] == 0))


def draw_assistance(codes: dict[str, Ints], rng: np.random.Generator, m: Marginals) -> None:
    """Status of each kind of assistance; -1 where there was no need.  Accommodation is unequal."""
    group = belonging(codes)
    n = len(group)
    unequal = np.array(list(m.assistance.accommodation.values()))
    for kind, need in m.assistance.need.items():
        if kind == "accommodation":
            status = pick_rows(rng, unequal, group)
        else:
            status = pick(rng, n, m.assistance.others)
        codes[f"assistance_{kind}"] = np.where(rng.random(n) < need, status, -1)


def belonging(codes: dict[str, Ints]) -> Ints:
    """0: national of the country of exploitation, 1: citizen of another EU state in the EU,
    2: third-country national.
    """
    citizenship, country = codes["citizenship"], codes["country_of_exploitation"]
    eu = np.isin(ALPHA3, countries.members("eu"))
    mobile = eu[citizenship] & eu[country]
    return np.where(citizenship == country, 0, np.where(mobile, 1, 2))
