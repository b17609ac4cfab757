"""How features are compared, and which pairs are compared at all, as Splink takes it.

What training starts from, m and u, was counted on fictitious people in four scripts
(``practice.naming``): how often a level is met by two rows of one person, and of two people.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

MACROS = """
CREATE MACRO near(a, b) AS length(a) > 2 AND length(b) > 2 AND abs(length(a) - length(b)) < 2
    AND damerau_levenshtein(a, b) <= 1;
CREATE MACRO alike(a, b) AS jaro_winkler_similarity(a, b) >= 0.88;
CREATE MACRO shares(a, b) AS CASE WHEN list_has_any(a, b) THEN 1 ELSE 0 END;
"""
"""One slip of the pen; the likeness of Winkler (1990), with the bound that Splink's own
comparison of names has; whether two lists meet."""

_CROSSWISE = (
    "shares(given_parts_l, family_parts_r) + shares(family_parts_l, given_parts_r)"
    " > shares(given_parts_l, given_parts_r) + shares(family_parts_l, family_parts_r)"
)
"""Names agree better where given and family name of one side are exchanged."""

Comparison = dict[str, Any]


def comparisons(held: Collection[str], more: Sequence[str]) -> list[Comparison]:
    """The comparisons of the features that are held, each with m and u to start from.

    Args:
        held: names of features that two files or more hold.
        more: names of further features, compared as texts.
    """
    made = [
        _comparison(name, name, _names(name, other))
        for name, other in (("given", "family"), ("family", "given"))
        if name in held
    ]
    if "birth_year" in held:
        made.append(_comparison("birth", "birth_year", _BIRTH))
    if "place" in held:
        made.append(_comparison("place", "place", _PLACE))
    if "sex" in held:
        made.append(_comparison("sex", "sex", [_level("sex_l = sex_r", 0.99, 0.5)], fixed=True))
    return made + [_comparison(name, name, _text(name)) for name in more]


def candidates(held: Collection[str], more: Sequence[str]) -> list[Any]:
    """Rules of which a pair must meet one to be compared.

    One name by sound, given or family, and the year, the day or the place; a given and a family
    name by sound; the whole birth date; or a further feature.  Where files hold none of these, one
    name by sound.
    """
    from splink import block_on

    rules = [block_on(name) for name in ("birth", *more) if name in held]
    for name in ("birth_year", "birth_days", "place_sound"):
        if name in held:
            rules.append(block_on("sounds", name, arrays_to_explode=["sounds"]))
    if {"given", "family"} <= set(held):
        rules.append(block_on("both_sounds", arrays_to_explode=["both_sounds"]))
    return rules or [block_on("sounds", arrays_to_explode=["sounds"])]


def _names(name: str, other: str) -> list[Comparison]:
    def level(agree: str, feature: str, m: float, u: float, frequency: str = "") -> Comparison:
        straight, crossed = (
            agree.format(f"{name}{feature}_l", f"{right}{feature}_r") for right in (name, other)
        )
        agree = f"CASE WHEN {_CROSSWISE} THEN {crossed} ELSE {straight} END"
        return _level(agree, m, u, frequency)

    return [
        level("{} = {}", "", 0.15, 0.002, f"{name}_sound"),
        level("{} = {}", "_sound", 0.65, 0.007, f"{name}_sound"),
        level("list_has_any({}, {})", "_parts", 0.07, 0.002),
        level("near({}, {})", "_sound", 0.04, 0.005),
        level("alike({}, {})", "", 0.01, 0.0005),
    ]


def _level(condition: str, m: float, u: float, frequency: str = "") -> Comparison:
    """A level of agreement.

    Args:
        condition: on a pair, in SQL.
        m, u: how often two rows of one person, and of two people, are on it, to start from.
        frequency: feature whose rare values say more than its frequent ones.
    """
    level: Comparison = {"sql_condition": condition, "label_for_charts": condition}
    level |= {"m_probability": m, "u_probability": u}
    if frequency:
        level |= {"tf_adjustment_column": frequency, "disable_tf_exact_match_detection": True}
    return level


def _comparison(
    name: str, feature: str, levels: Sequence[Comparison], fixed: bool = False
) -> Comparison:
    """A comparison; where it is ``fixed``, m is not fitted.

    Sex is: it is hardly ever wrong, and a fitted m of 0 would hide what somebody should look at.
    """
    unknown = f"{feature}_l IS NULL OR {feature}_r IS NULL"
    rest = [1 - sum(level[f"{one}_probability"] for level in levels) for one in "mu"]
    return {
        "output_column_name": name,
        "comparison_levels": [
            {"sql_condition": unknown, "label_for_charts": "unknown", "is_null_level": True},
            *({**level, "fix_m_probability": fixed} for level in (*levels, _level("ELSE", *rest))),
        ],
    }


_BIRTH = [
    _level("birth_l = birth_r", 0.93, 0.0001),
    _level("birth_year_l = birth_year_r AND (birth_l IS NULL OR birth_r IS NULL)", 0.01, 0.0001),
    _level(
        "birth_days_l = birth_days_r AND damerau_levenshtein(birth_year_l, birth_year_r) <= 1",
        0.03,
        0.001,
    ),
    _level(
        "birth_year_l = birth_year_r AND list_has_any(birth_days_l, birth_days_r)", 0.015, 0.004
    ),
    _level("birth_year_l = birth_year_r", 0.005, 0.018),
]

_PLACE = [
    _level("place_sound_l = place_sound_r", 0.8, 0.018, "place_sound"),
    _level("near(place_sound_l, place_sound_r) OR alike(place_l, place_r)", 0.07, 0.007),
]


def _text(name: str) -> list[Comparison]:
    one, other = f'"{name}_l"', f'"{name}_r"'
    return [
        _level(f"{one} = {other}", 0.8, 0.001, name),
        _level(f"near({one}, {other}) OR alike({one}, {other})", 0.1, 0.005),
    ]
