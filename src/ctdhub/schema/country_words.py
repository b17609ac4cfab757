"""Countries as files say them beyond the names that every mapping reads: adjectives ("Nigerian",
"nigériane") and names in languages that ctdhub does not speak.

For drafts alone, which write them into the map of a rule: a steward reads each.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import pycountry
import yaml
from babel import Locale

from ctdhub.schema.country_names import fold_name, look_up

LANGUAGES_BESIDE = (
    "pt", "it", "de", "nl", "ro", "sq", "tr", "ru", "uk", "pl", "hu", "cs", "bg", "sr", "hr", "el",
    "sv", "fi", "da", "lt", "lv", "et", "sk", "sl", "id", "vi", "th", "sw", "fa", "ur", "hi", "bn",
    "ne", "am", "zh", "ja", "ko",
)  # fmt: skip
"""Languages of contributors' files whose names of countries CLDR has."""


def country_said(text: str) -> str | None:
    """The alpha-3 code of an adjective or of a name in another language, None where unsure.

    >>> country_said("nigériane"), country_said("Nigerien"), country_said("Moçambique")
    ('NGA', 'NER', 'MOZ')
    >>> country_said("Dominican") is None
    True
    """
    key = fold_name(text)
    if len(key) < 4 or look_up(text).several:
        return None
    found = {table[key] for table in (_adjectives(), _foreign_names()) if key in table}
    return found.pop() if len(found) == 1 else None


@cache
def _adjectives() -> dict[str, str]:
    path = resources.files("ctdhub.schema") / "data" / "demonyms.yaml"
    own = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 (texts only)
    found: dict[str, set[str]] = {}
    for code, words in own.items():
        for said in words:
            stem, _mark, endings = said.partition("/")
            for ending in endings.split("/"):
                found.setdefault(fold_name(stem + ending), set()).add(code)
    return {key: codes.pop() for key, codes in found.items() if len(codes) == 1}


@cache
def _foreign_names() -> dict[str, str]:
    alpha3 = {country.alpha_2: country.alpha_3 for country in pycountry.countries}
    for code in Locale("en").territories.keys() - alpha3:  # Kosovo, as the tables of names have it
        if code.isalpha() and (found_code := look_up(Locale("en").territories[code]).alpha3):
            alpha3[code] = found_code
    found: dict[str, set[str]] = {}
    for language in LANGUAGES_BESIDE:
        for alpha2, name in Locale(language).territories.items():
            if alpha2 in alpha3:
                found.setdefault(fold_name(name), set()).add(alpha3[alpha2])
    return {key: codes.pop() for key, codes in found.items() if len(codes) == 1}
