"""Names in several scripts: which parts of a name count, and how they sound."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from ctdhub.core.i18n import read_shipped

# --------------------------------------------------------------------------------------------------
# Names of several scripts in small Latin letters, roughly as they sound.
#
# Where the standards differ that the tables follow, skeletons make the spellings meet.  Letters of
# other scripts stay as they are, so that equal spellings still meet.

_DATA = resources.files("ctdhub.sensitive.linkage.pprl") / "data"
_TABLES = read_shipped(_DATA / "letters.yaml")
_LETTERS: dict[str, str] = {
    letter: sound
    for script in ("cyrillic", "greek", "arabic", "latin")
    for letter, sound in _TABLES[script].items()
}
_GREEK_PAIRS = (
    ("ου", "u"), ("αι", "e"), ("ει", "i"), ("οι", "i"), ("τζ", "dj"), ("τσ", "ts"), ("γγ", "ng"),
    ("γχ", "nkh"),
)  # fmt: skip
_GREEK_HARD = re.compile("(^|(?<= ))(μπ|ντ|γκ)")
_GREEK_SOFT = re.compile("([αε])υ(?=[θκξπστφχψ]|$)|([αε])υ")
_HARD = {"μπ": "b", "ντ": "d", "γκ": "g"}
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
        plain = "".join(_without_marks(c) for c in plain)
    plain = "".join(c if c.isalpha() else " " for c in plain.translate(_APOSTROPHES))
    plain = " ".join(plain.split())
    if plain.isascii():
        return plain
    plain = _INITIAL_YA.sub("ya", _ARTICLE.sub("", plain))
    plain = _greek(plain)
    return " ".join("".join(_LETTERS.get(c, c) for c in plain).split())


def _without_marks(character: str) -> str:
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


# --------------------------------------------------------------------------------------------------
# Skeletons: what stays of a name when spellings and scripts differ.
#
# A skeleton keeps the order of consonants, each as a class of sounds, and whether a name begins
# with a vowel.  Like Soundex (R. C. Russell, US patent 1,261,167, 1918) it drops vowels and doubled
# letters; the classes are narrower, and digraphs of several languages are read first, so that for
# example Cyrillic, Arabic and German spellings of one name meet.

_DIGRAPHS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^mac(?=[^aeiou])|^mc", "mk"),
        ("^(?:ou|u|w)(?=[aeiy])", "w"),
        ("^(?:i|y|j)(?=[aeouyw])", "j"),
        ("dj|dzh|dz|dsch|dg(?=e)", "j"),
        ("shch|sch|tsch|tch|tsh|sh|ch(?=[aeiouy])|zh|ts|tz|cz|sz|rz", "s"),
        ("kh", "h"),
        ("ch|gh|gu(?=[ei])|ck|cq|qu", "k"),
        ("ph", "f"),
        ("th|dh", "t"),
        ("c(?=[eiy])", "s"),
        ("x", "ks"),
    )
)
_CLASSES = str.maketrans("bpfvwcgkqdtsz", "bbbbbkkkkttss")
_VOWELS = re.compile("[aeiouywh]")
_DOUBLED = re.compile(r"(.)\1+")
PARTICLES = frozenset(_TABLES["particles"].split())
"""Small words that one office writes and another leaves out."""

_SERVANT = re.compile("^abd[aeiu]l+(?=...)")
"""Arabic "servant of", written as one word with what follows or apart from it."""

TITLES = frozenset(_TABLES["titles"].split())
"""What somebody is called by beside her name; "mother of" and "father of" among it (kunya)."""


@lru_cache(maxsize=200_000)
def parts(name: str) -> tuple[str, ...]:
    """The parts of a name that count, romanised: no titles or particles unless all are.

    >>> parts("Mme. María-José de la Cruz"), parts("El"), parts("Umm Huda"), parts("Abu")
    (('maria', 'jose', 'cruz'), ('el',), ('huda',), ('abu',))
    """
    every = [_SERVANT.sub("", p) for p in romanised(name).split()]
    words = [p for p in every if p not in TITLES] or every
    kept = [p for p in words if p not in PARTICLES and len(p) > 1]
    return tuple(kept or words)


@lru_cache(maxsize=200_000)
def skeleton(part: str) -> str:
    """The skeleton of one romanised part.

    >>> skeleton("mueller") == skeleton("muller"), skeleton("khdyja") == skeleton("hadidja")
    (True, True)
    >>> skeleton("wagner") == skeleton("vagner"), skeleton("oualid") == skeleton("walyd")
    (True, True)
    >>> skeleton("anna"), skeleton("hanna"), skeleton("viktor") == skeleton("victor")
    ('an', 'hn', True)
    """
    text = part
    for pattern, sound in _DIGRAPHS:
        text = pattern.sub(sound, text)
    if not text:
        return ""
    first, rest = text[0], text[1:]
    first = "a" if first in "aeiouy" else first.translate(_CLASSES)
    rest = _VOWELS.sub("", rest).translate(_CLASSES)
    return _DOUBLED.sub(r"\1", first + rest)


# --------------------------------------------------------------------------------------------------
# Common names of several languages: what a name is short for, and whose family name it is.
#
# The list is public and a part of the software, and what it says of a row follows from that row
# alone: no likeness between two records of anybody is looked at.  A name need not be in it; one
# that is not is read by its sound.

LEAST = 5
"""Letters of a part, at least, in which one wrong letter is put right."""

COMMON = 36
"""The first so many given names of a list are too common to stand alone with a birth date."""

_WISHES = re.compile("^(?:oluwa|olu|ola|omo|ade|osa|chukwu|nwa)(?=[^aeiou].{2})")
"""What Yoruba, Igbo and Edo names begin with and short forms of them leave out."""


@dataclass(frozen=True)
class NameList:
    """The list, for look-ups by romanised spelling.

    Attributes:
        names: the name that a spelling is one of, by its usual spelling.
        sounds: the name that alone has a skeleton.
        near: names by their spellings, whole and with one letter left out.
        forenames, family: languages in which a spelling is common, and from 0 how common.
        spoken: languages of a name.
    """

    names: dict[str, str]
    sounds: dict[str, str]
    near: dict[str, frozenset[str]]
    forenames: dict[str, dict[str, int]]
    family: dict[str, dict[str, int]]
    spoken: dict[str, frozenset[str]]


@cache
def name_list() -> NameList:
    """The list, read once."""
    said = read_shipped(_DATA / "names.yaml")
    parent: dict[str, str] = {}
    forenames: dict[str, dict[str, int]] = {}
    family: dict[str, dict[str, int]] = {}
    for language, lists in said.items():
        for kind, names in lists.items():
            ranks = family if kind == "family" else forenames
            for rank, name in enumerate(names.split(",")):
                usual, *others = ("".join(parts(form)) for form in name.split("/"))
                for form in (usual, *others):
                    parent.setdefault(form, form)
                    parent[_root(parent, form)] = _root(parent, usual)
                    known = ranks.setdefault(form, {})
                    known[language] = min(rank, known.get(language, rank))
    roots = {form: _root(parent, form) for form in parent}
    sounds: dict[str, set[str]] = {}
    near: dict[str, set[str]] = {}
    spoken: dict[str, set[str]] = {}
    for form, name in roots.items():
        sounds.setdefault(skeleton(form), set()).add(name)
        spoken.setdefault(name, set()).update(forenames.get(form, ()), family.get(form, ()))
        if len(form) >= LEAST:
            for shape in (form, *_without_one(form)):
                near.setdefault(shape, set()).add(name)
    return NameList(
        roots,
        {s: names.copy().pop() for s, names in sounds.items() if len(names) == 1 and len(s) > 2},
        {shape: frozenset(names) for shape, names in near.items()},
        forenames,
        family,
        {name: frozenset(some) for name, some in spoken.items()},
    )


def _root(parent: dict[str, str], form: str) -> str:
    while parent[form] != form:
        form = parent[form]
    return form


def _without_one(text: str) -> Iterator[str]:
    return (text[:i] + text[i + 1 :] for i in range(len(text)))


@lru_cache(maxsize=200_000)
def listed(part: str, spoken: frozenset[str]) -> str:
    """The name of the list that a romanised part is a spelling of; empty if none.

    A name of one of the languages ``spoken`` is also meant by a spelling that is one wrong letter
    from it, or sounds like it.

    >>> listed("liz", frozenset()), listed("elizabteh", frozenset({"english"}))
    ('elizabeth', 'elizabeth')
    >>> listed("elizabteh", frozenset())
    ''
    """
    known = name_list()
    for form in (part, _WISHES.sub("", part)):
        if form in known.names:
            return known.names[form]
    if not spoken:
        return ""
    near: set[str] = set()
    if len(part) >= LEAST:
        near = {name for s in (part, *_without_one(part)) for name in known.near.get(s, ())}
    start = skeleton(part)[:1]
    for names in (near, {known.sounds.get(skeleton(part), "")}):
        same = [n for n in names if n and known.spoken[n] & spoken and skeleton(n)[:1] == start]
        if len(same) == 1:
            return same[0]
    return ""


def sound(part: str, spoken: frozenset[str]) -> str:
    """The skeleton of a part, or of the name of the list that it is.

    >>> sound("bill", frozenset()) == sound("william", frozenset())
    True
    """
    return skeleton(listed(part, spoken) or _WISHES.sub("", part))


def languages(part: str) -> frozenset[str]:
    """Languages in which a spelling is common, whatever it names."""
    known = name_list()
    return frozenset((*known.forenames.get(part, ()), *known.family.get(part, ())))


# --------------------------------------------------------------------------------------------------
# Which parts of a name tokens go by: the person's own, the family's, and what else there is.
#
# The order of given and family name, what stands before or between them and how many there are
# differ by language and by office.  What is decided here follows from one row and the public list
# of names alone.

_NAME_PARTS_ARTICLE = re.compile("(?:al|el)[- ]|ال", re.IGNORECASE)
_NAME_PARTS_ARABIC = re.compile("[\u0600-\u06ff]")
_SYLLABLE = re.compile("[aeiouy]+")
_VIETNAMESE = frozenset({"vietnamese"})
_NO_NAMES = ("thi", "van")
"""Vietnamese middle names that say woman and man."""

EUROPEAN = frozenset(("english", "romanian", "spanish", "nigerian"))
"""Languages of the list in which the last part is the family's, and others may stand between."""


@dataclass(frozen=True)
class Names:
    """What tokens are made of; all of it sounds, and none of it empty.

    Attributes:
        own: the person's own name.
        family: the family's name.
        other: the part that stands for the family's where an office chose another one.
        chain: names of father and grandfather may follow the own name and replace the family's.
        short: of one syllable each, so that vowels tell names apart.
        rare: the own name may stand alone beside a whole birth date.
    """

    own: str
    family: str
    other: str
    chain: bool = False
    short: bool = False
    rare: bool = False


@lru_cache(maxsize=200_000)
def names_of(forename: str, family: str) -> Names | None:
    """The names in two cells; None with fewer than two parts.

    >>> names_of("Thị Lan", "Nguyễn") == names_of("Nguyen", "Lan")
    True
    >>> names_of("Bill", "Smith") == names_of("William", "Smyth")
    True
    """
    first, last = list(parts(forename)), list(parts(family))
    if len(first) + len(last) < 2:
        return None
    if names := _vietnamese(forename, family):
        return names
    if _turned(forename, family, first, last):
        first, last = last, first
    spoken = _spoken(forename + family, first + last)
    chain = [sound(part, frozenset(spoken)) for part in first + last]
    arabic, european = spoken["arabic"], max(spoken[some] for some in EUROPEAN)
    if arabic and arabic >= european:
        return Names(chain[0], chain[-1], chain[1], chain=True, rare=_rare(first + last))
    own = chain[0]
    if not first or not last:
        return Names(own, chain[-1], chain[-1])
    other = chain[-1] if european or len(first) == 1 else chain[1]
    return Names(own, chain[len(first)], other)


def _turned(forename: str, family: str, first: Sequence[str], last: Sequence[str]) -> bool:
    """Whether the family name stands in the cell of the given name."""
    if not first or not last or _NAME_PARTS_ARTICLE.match(family):
        return False
    if _NAME_PARTS_ARTICLE.match(forename):
        return True
    known, own, other = name_list(), first[0], last[0]
    return own in known.family and own not in known.forenames and other in known.forenames


def _spoken(text: str, every: Sequence[str]) -> Counter[str]:
    """How many parts are common in each language; Arabic letters are Arabic."""
    if _NAME_PARTS_ARABIC.search(text):
        return Counter({"arabic": len(every)})
    return Counter(language for part in every for language in languages(part))


def _rare(chain: Sequence[str]) -> bool:
    """Whether the first of a chain is no common name, of a language that the list knows."""
    known, own = name_list(), chain[0]
    rank = known.forenames.get(own, {}).get("arabic")
    if rank is not None:
        return rank >= COMMON
    if listed(own, frozenset({"arabic"})):
        return False
    return any("arabic" in languages(part) for part in chain[1:])


def _vietnamese(forename: str, family: str) -> Names | None:
    """Family name first or last, middle names with either, words of one syllable."""
    cells = [[_righted(p) for p in romanised(cell).split() if p not in TITLES]
             for cell in (forename, family)]  # fmt: skip
    every = [part for cell in cells for part in cell]
    if not all(len(_SYLLABLE.findall(part)) == 1 and len(part) < 8 for part in every):
        return None
    known = sum(part in _NO_NAMES or "vietnamese" in languages(part) for part in every)
    ranks = {form: some["vietnamese"] for form, some in name_list().family.items()
             if "vietnamese" in some}  # fmt: skip
    if 2 * known < len(every) or not ranks.keys() & set(every):
        return None
    first, last = ([p for p in cell if p not in _NO_NAMES] or cell for cell in cells)
    if first and (not last or ranks.get(first[0], 99) < ranks.get(last[0], 99)):
        first, last = last, first
    own = first[-1] if first else last[-1]
    house = sound(last[0], _VIETNAMESE)
    return Names(_DOUBLED.sub(r"\1", own.replace("y", "i")), house, house, short=True)


def _righted(part: str) -> str:
    """The commonest family name put right where a letter is wrong."""
    return "nguyen" if listed(part, _VIETNAMESE) == "nguyen" else part


def beginning(name: str, more: int = 0) -> str:
    """How a name begins: two classes of consonants, three where a vowel comes first."""
    return name[: more + (3 if name[:1] == "a" else 2)]
