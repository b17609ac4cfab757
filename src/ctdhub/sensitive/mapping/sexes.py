"""The sexes in a column: whole words, and one-letter codes as a pair that fits one language.

H is a man in French and Spanish, M a man in English and French and a woman in Spanish, F a man in
Hungarian: a letter alone says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from ctdhub.schema.country_names import fold_name
from ctdhub.schema.roles import SEX
from ctdhub.sensitive.mapping.header_words import word
from ctdhub.sensitive.mapping.vocabulary import LetterPair, vocabulary


def sexes(header: str, texts: Iterable[str]) -> dict[str, str]:
    """The texts whose sex is sure, each with its code.

    >>> sexes("sexo", ["H", "M"]), sexes("sexe", ["H", "F"]), sexes("sexo", ["M"])
    ({'H': 'male', 'M': 'female'}, {'H': 'male', 'F': 'female'}, {})
    """
    own = vocabulary()
    letters = {text: word(text) for text in texts if len(word(text)) == 1}
    sure = {text: own.codes[SEX][key] for text in texts if (key := word(text)) in own.codes[SEX]}
    alone = {key for key in letters.values() if key not in own.third_letters}
    fitting = [pair for pair in own.letters if alone == {*pair.codes} and _counts(pair, header)]
    if len(fitting) != 1:
        return sure
    codes = fitting[0].codes | own.third_letters
    return sure | {text: codes[key] for text in texts if (key := word(text)) in codes}


def _counts(pair: LetterPair, header: str) -> bool:
    return not pair.under or any(part in fold_name(header) for part in pair.under)
