"""Names of several scripts in small Latin letters, roughly as they sound.

The tables follow the letters of ISO 9, ELOT 743 and ALA-LC where these agree, without their marks;
where they differ, ``sounds`` makes the spellings meet.  Arabic writes few vowels: only consonants
are certain.  Letters of other scripts stay as they are, so that equal spellings still meet.
"""

from __future__ import annotations

import re
import unicodedata

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "ё": "yo", "є": "ye",
    "ж": "zh", "з": "z", "и": "i", "і": "i", "ї": "yi", "й": "y", "к": "k", "л": "l", "м": "m",
    "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ў": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
    "ю": "yu", "я": "ya", "ђ": "dj", "ј": "y", "љ": "l", "њ": "n", "ћ": "ch", "џ": "dj", "ѓ": "g",
    "ќ": "k", "ѕ": "dz", "ә": "a", "ғ": "g", "қ": "k", "ң": "n", "ө": "o", "ұ": "u", "ү": "u",
    "һ": "h", "ҳ": "h", "ҷ": "j", "ӣ": "i", "ӯ": "u",
}  # fmt: skip
_GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "kh", "ψ": "ps", "ω": "o",
}  # fmt: skip
_GREEK_PAIRS = (
    ("ου", "u"), ("αι", "e"), ("ει", "i"), ("οι", "i"), ("τζ", "dj"), ("τσ", "ts"), ("γγ", "ng"),
    ("γχ", "nkh"),
)  # fmt: skip
_GREEK_HARD = re.compile("(^|(?<= ))(μπ|ντ|γκ)")
_GREEK_SOFT = re.compile("([αε])υ(?=[θκξπστφχψ]|$)|([αε])υ")
_HARD = {"μπ": "b", "ντ": "d", "γκ": "g"}
_ARABIC = {
    "ا": "a", "أ": "a", "إ": "a", "آ": "a", "ٱ": "a", "ب": "b", "ت": "t", "ث": "th", "ج": "j",
    "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "س": "s", "ش": "sh", "ص": "s",
    "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "k", "ك": "k", "ل": "l",
    "م": "m", "ن": "n", "ه": "h", "و": "w", "ي": "y", "ى": "a", "ة": "a", "ء": "", "ؤ": "u",
    "ئ": "i", "پ": "p", "چ": "ch", "ژ": "zh", "گ": "g", "ڤ": "v", "ک": "k", "ی": "y", "ہ": "h",
    "ھ": "h", "ے": "e", "ں": "n", "ٹ": "t", "ڈ": "d", "ڑ": "r", "ـ": "",
}  # fmt: skip
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i",
    "ħ": "h", "ŋ": "n", "ə": "a", "ŧ": "t", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɛ": "e", "ɔ": "o",
}  # fmt: skip
_LETTERS = _CYRILLIC | _GREEK | _ARABIC | _LATIN
_ARTICLE = re.compile("(^|(?<= ))ال(?=...)")
_INITIAL_YA = re.compile("(^|(?<= ))ي(?=[بتثجحخدذرزسشصضطظعغفقكلمنهة])")
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼʻ`´ʹʺʿʾ\"“”«»"))


def romanised(text: str) -> str:
    """A name in small Latin letters and blanks.

    Case, accents, punctuation and invisible marks go; an apostrophe joins, every other sign parts.

    >>> romanised("  Ćosić-Đurić "), romanised("Зоя"), romanised("Ελένη"), romanised("خديجة")
    ('cosic duric', 'zoya', 'eleni', 'khdyja')
    >>> romanised("N’Diaye, O'Brien")
    'ndiaye obrien'
    """
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain).casefold().replace("й", "\u0439")
        plain = "".join(_kept(c) for c in plain)
    plain = "".join(c if c.isalpha() else " " for c in plain.translate(_APOSTROPHES))
    plain = " ".join(plain.split())
    if plain.isascii():
        return plain
    plain = _INITIAL_YA.sub("ya", _ARTICLE.sub("", plain))
    plain = _greek(plain)
    return " ".join("".join(_LETTERS.get(c, c) for c in plain).split())


def _kept(character: str) -> str:
    """The character without marks that are no letter of their own; й and Arabic letters stay."""
    if character in _LETTERS:
        return character
    if unicodedata.category(character) in ("Mn", "Cf", "Lm"):
        return ""
    parts = unicodedata.normalize("NFKD", character)
    return "".join(c for c in parts if unicodedata.category(c) not in ("Mn", "Cf", "Lm"))


def _greek(text: str) -> str:
    """Pairs of Greek letters that make one sound."""
    if not any("α" <= c <= "ω" for c in text):
        return text
    text = _GREEK_HARD.sub(lambda m: _HARD[m[2]], text)
    text = text.replace("ντζ", "dj").replace("μπ", "b").replace("γκ", "g").replace("ντ", "d")
    text = _GREEK_SOFT.sub(lambda m: m[1] + "f" if m[1] else m[2] + "v", text)
    for pair, sound in _GREEK_PAIRS:
        text = text.replace(pair, sound)
    return text
