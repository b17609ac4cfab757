"""Words by which headers and cells are recognised, in the offered languages and some others."""

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from ctdhub.core.i18n import LANGUAGES, read_shipped
from ctdhub.core.tables import fold
from ctdhub.schema.countries import fold_name
from ctdhub.schema.crosswalk import NAMES, CrosswalkColumn, load_crosswalk
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import HARM, MEANS, SEX, TECHNOLOGY, load_schema
from ctdhub.sensitive.ingest.identifiers import words as words_of

# --------------------------------------------------------------------------------------------------
# Words and headers in the form in which drafts compare them, and the file of their words.

_QUESTION_MARK = re.compile(r"\w.*[?؟]")
_NUMBERED = re.compile(r"\d{1,3}\s*[-–=:.)]+\s*([^\W\d].*)", re.DOTALL)
_QUESTION = re.compile(
    r"^\s*(?:q|p|preg|pregunta|item|frage|س)?\.?\s?\d{1,3}(?:[._]\d{1,2})?[a-z]?"
    r"(?:\s*[.):_-]+\s*|\s+)(?=\D)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d+(\.0)?")
_CHOICE = re.compile(r"\s*(?:\(choice=(.+)\)|\[(.+)\])\s*$")
"""How REDCap and LimeSurvey name the column of one choice of a question."""
_HERS = re.compile(r"(?<=\best )son (?=\w)", re.IGNORECASE)
"""What "Quel est son âge ?" says of the person, and English of a child."""
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_JOINED = re.compile(r"\s*[&+]\s*|\s+(?:and|et|y|e|und|ed)\s+|\s+و\s*", re.IGNORECASE)
_EITHER = re.compile(r"[/|]|\b(?:or|ou|o|u|oder|или|أو)\b", re.IGNORECASE)
_EXAMPLES = re.compile(r"\s*\([^(),،;]+[,،;][^()]*\)")
"""Examples behind a kind, of which it is not said that each is there."""
SEGMENT = re.compile(r"\s*[/|:>]\s*|\s+[-–—]\s+|\.(?=\D)")
"""What stands between the parts of a header: a section of a form, and a question in it."""


def word(text: str) -> str:
    """The form in which words are compared: letters and digits, else (a tick) the text itself.

    A number before a label (``1 - Female``) is left out.  A question mark stays: who writes
    ``Yes?`` is not sure.

    >>> word("Oui."), word("✓"), word("1 - Female"), word("Yes?")
    ('oui', '✓', 'female', 'yes?')
    """
    plain = fold(text)
    if _QUESTION_MARK.search(plain):
        return plain
    if match := _NUMBERED.fullmatch(plain):
        plain = match[1]
    return plain if re.fullmatch(r"-\d+(\.0)?|\d+\.0", plain) else fold_name(plain) or plain


def bare(header: str) -> str:
    """A header without the number of its question and without a hint in brackets at its end.

    >>> bare("Q7 Sex (required)"), bare("age (mother)"), bare("P4_1 Sexo")
    ('Sex', 'age (mother)', 'Sexo')
    >>> bare("Type? (choice=Other)")
    'Type?/Other'
    """
    first, _slash, rest = header.partition("/")
    ours = rest if fold_name(first) in own_words()["before_us"] else header
    plain = _HERS.sub("", _QUESTION.sub("", ours))
    match = _BRACKETS.search(plain)
    hint = match is not None and all(one in own_words()["hints"] for one in words_of(match[1]))
    return _BRACKETS.sub("", plain) if hint else _CHOICE.sub(r"/\1\2", plain)


def is_neutral(part: str) -> bool:
    """Whether a part of a header speaks of nobody: a section of a form, or the person."""
    return all(w in own_words()["neutral"] or len(w) == 1 or w.isdigit() for w in words_of(part))


def of_group(header: str) -> str:
    """A header folded without fillers, words such as "suffered", and a number at its end."""
    left_out = own_words()["fillers"] | own_words()["qualifiers"]
    return fold_name("".join(w for w in words_of(header) if w not in left_out and not w.isdigit()))


def plain_header(header: str) -> str:
    """A header folded without words such as "of the person".

    >>> plain_header("Sex of the person"), plain_header("Date of registration")
    ('sex', 'dateregistration')
    """
    return fold_name("".join(w for w in words_of(header) if w not in own_words()["fillers"]))


def says(text: str, phrases: Iterable[str]) -> bool:
    """Whether a text has one of the phrases, as whole words; Arabic ones also within a word.

    >>> says("hauteur", ["auteur"]), says("Mother's age", ["mother"])
    (False, True)
    """
    said = f" {' '.join(words_of(text))} "
    key = fold_name(text)
    for inner, folded in map(_phrase, phrases):
        if f" {inner} " in said or f" {inner}s " in said:
            return True
        if folded and folded in key:
            return True
    return False


@cache
def _phrase(text: str) -> tuple[str, str]:
    """A phrase in whole words, and folded where it counts within words too."""
    inner, folded = " ".join(words_of(text)), fold_name(text)
    return inner, "" if folded.isascii() else folded


@cache
def own_words() -> dict[str, Any]:
    """The file of words, the fillers as a set of words of headers."""
    path = resources.files("ctdhub.sensitive.mapping") / "data" / "suggestions.yaml"
    own: dict[str, Any] = read_shipped(path, texts=True)
    for name in ("fillers", "qualifiers", "neutral", "hints", "asking", "sections"):
        own[name] = frozenset(part for said in flat(own[name]) for part in words_of(said))
    own["neutral"] |= own["fillers"]
    own["before_us"] = frozenset(map(fold_name, own["before_us"]))
    return own


def flat(words: Any) -> Iterator[str]:
    """The texts of lists inside lists."""
    for said in words:
        if isinstance(said, str):
            yield said
        else:
            yield from flat(said)


WHOLE = 4
"""Letters below which a root is a whole word; with other letters than ASCII's one less."""

CLOSE = 0.88
"""Likeness (``difflib`` ratio) from which another spelling of a header counts."""

LONG = 8
"""Letters from which a header may be spelt otherwise: "age" is like "wage" and "page"."""

OWN_HEADER = 10
"""Letters from which a single word for a kind is a header too: "Zwangsarbeit", but not "sex"."""

ROOTED = 0.95
"""Score of a header that has the roots of a variable, and else words that say nothing."""

WEAK = 0.7
"""Score of a header that means a variable only where no better header does."""


@dataclass(frozen=True)
class LetterPair:
    """Two one-letter codes of a sex that fit one language.

    Attributes:
        codes: letter to code.
        under: folded parts of headers with which alone the pair counts; none: with every header.
    """

    codes: dict[str, str]
    under: tuple[str, ...] = ()


class Vocabulary:
    """All words, folded (``word``).

    Attributes:
        headers: word of a header to the hub variables that it may mean.
        weak: the same, where no better header speaks.
        codes: for each hub variable with codes, word of a cell to code.
        answered: headers that name a code of minor and adult and are answered yes or no.
        flags: word of a cell to the flags that it may mean.
        other: words of a cell for the kind "other" of its group.
        groups: word of a header to the group of flags that it names.
        pairs: words of a cell for yes and for no, as they go together.
        letters: pairs of one-letter codes of a sex.
        third_letters: what may stand beside such a pair, to code.
        empty: words of a cell that mean "not recorded".
        null_codes: numbers that may mean "not recorded".
        strangers: for a group, words that mean a stranger under its headers.
        near: for a group, others whose kinds stand under its headers too.
        phrases: lists of words that ``says`` looks for.  Of headers: ``others`` (a caller, a
            perpetrator, staff), ``perpetrators`` (a table of them), ``standing`` (whether somebody
            is a victim), ``trafficking`` (of a status of victims), ``states`` (of a case),
            ``bands`` (of ages, by which bare numbers are codes), ``consent`` (who agreed that the
            record is shared), ``sharing`` (to which somebody objects), ``persons`` (of the
            record).  Of cells: ``victims`` (a row is about one), ``bystanders`` and ``relatives``
            (about somebody else), ``standing_no`` (no, beside ``pairs``), ``nobody`` (a row is
            about nobody), ``unproven`` (no victim was established).
        names: sets of ``fold_name``: ``tokens``, parts of headers of keys made for linking;
            ``standing_alone``, ``consent_alone``, ``roles`` and ``lettered`` (who a row is about),
            ``calls`` (what a call was about), ``events`` (whether an event took place) and
            ``nobody_headers``, whole headers, below the last of which a yes says that a row is
            about nobody; ``bystanders``, ``enquiries`` (of ``calls``) and ``planned`` (of
            ``events``), whole cells.
        ages: words with which ages are written.
        age_units: words of headers and cells that say in which unit ages are counted.
        units: for report and call, words of headers that give them away.
        negations: words that say no to those beside them, by ``fold_name``.
        denials: cells and elements of lists that say no, by ``word``; "refused" is no answer.
        not_consent: what else turns such a header round: ``words``, ``parts`` of words, and
            ``yes_no``, answers named in a header, which turn nothing round.
        consent_answers: words of a cell below such a header, beside ``pairs``, to yes or no.
    """

    def __init__(self) -> None:
        own = own_words()
        said, flags, self.codes = _learned(own)
        self.headers = _indexed(said, fold_name)
        plain = _indexed(said, plain_header)
        self._plain = {key: names for key, names in plain.items() if len(names) == 1}
        self.weak: dict[str, str] = _by_word(own["weak"], fold_name)
        self.answered: dict[str, str] = _by_word(own["answered"], fold_name)
        self.other = frozenset(map(word, own["other"]))
        self.flags = {key: frozenset(of) for key, of in flags.items() if key not in self.other}
        self.groups: dict[str, str] = _by_word(own["groups"], of_group)
        self.pairs: tuple[tuple[str, str], ...] = tuple((yes, no) for yes, no in own["pairs"])
        self.letters = tuple(map(_pair, own["letters"]))
        self.third_letters: dict[str, str] = _by_word(own["third_letters"], word)
        empty = frozenset(map(word, flat(own["empty"])))
        self.empty = empty | {""}
        self.null_codes = frozenset(own["null_codes"])
        self.strangers = {group: frozenset(map(word, of)) for group, of in own["strangers"].items()}
        lists = {name: words for name, words in own.items() if isinstance(words, list)}
        self.phrases = {name: tuple(flat(words)) for name, words in lists.items()}
        self.names = {name: frozenset(map(fold_name, of)) for name, of in self.phrases.items()}
        self.near, self.ages, self.age_units, self.units = (
            {str(name): tuple(words) for name, words in own[key].items()}
            for key in ("near", "ages", "age_units", "units")
        )
        self.negations = frozenset(map(fold_name, own["negations"]))
        answers = own["consent_answers"]
        denials = [no for _yes, no in own["pairs"] if no not in ("", "jo", "hindi")]
        denials += [*own["negations"], *own["standing_no"], *answers["no"]]
        self.denials = frozenset(map(word, denials)) - empty
        self._silent = own["neutral"] | own["qualifiers"] | own["hints"] | own["asking"]
        self._roots = [_root(name, said) for name, of in own["roots"].items() for said in flat(of)]
        self._provision = tuple(word for said in own["given"] for word in words_of(said))
        self._rooted: dict[str, dict[str, bool]] = {}
        self.not_consent = {
            kind: tuple(" ".join(words_of(said)) for said in words)
            for kind, words in own["not_consent"].items()
        }
        self.consent_answers: dict[str, str] = _by_word(answers, word)

    def yes_no(self, texts: Iterable[str]) -> dict[str, str]:
        """Those of the texts of a column that are yes or no; -1 only beside 0.

        No other number may stand there but those for "not recorded", such as 9.

        >>> vocabulary().yes_no(["Y", "N", "?"]), vocabulary().yes_no(["-1", "0"])
        ({'Y': 'yes', 'N': 'no'}, {'-1': 'yes', '0': 'no'})
        >>> vocabulary().yes_no(["-1", "0", "1"]), vocabulary().yes_no(["-1"])
        ({'0': 'no', '1': 'yes'}, {})
        >>> vocabulary().yes_no(["-1", "0", "9"]), vocabulary().yes_no(["-1", "0", "2"])
        ({'-1': 'yes', '0': 'no'}, {'0': 'no'})
        """
        keys = {text: word(text) for text in texts}
        numbers = {k.removesuffix(".0") for k in keys.values() if _NUMBER.fullmatch(k)}
        signed = numbers - (self.null_codes - {"-1", "0"}) == {"-1", "0"}
        codes = {word(no): "no" for _yes, no in self.pairs if no}
        codes |= {word(yes): "yes" for yes, _no in self.pairs}
        return {
            text: codes[key]
            for text, key in keys.items()
            if key in codes and (signed or not key.startswith("-"))
        }

    def says(self, text: str, *lists: str) -> bool:
        """Whether a text has a phrase of some lists of ``phrases``; see :func:`says`."""
        return any(says(text, self.phrases[name]) for name in lists)

    def is_named(self, header: str, names: str) -> bool:
        """Whether a header is, as a whole, one of some ``names``."""
        return fold_name(bare(header)) in self.names[names]

    def denies(self, text: str) -> bool:
        """Whether a word of a text says no to those beside it."""
        return any(fold_name(one) in self.negations for one in words_of(text))

    def kinds(self, text: str) -> Collection[str]:
        """The kinds that a cell, or an element of its list, names."""
        key = word(text)
        return ("other",) if key in self.other else self.flags.get(key) or self._kinds(text)

    def _kinds(self, text: str) -> list[str]:
        """The flags whose roots a text has; who writes "sexual?" is not sure."""
        schema, said = load_schema(), {} if _QUESTION_MARK.search(text) else self.rooted(text)
        sure = (name for name, whole in said.items() if whole and schema.has(name))
        return [name for name in sure if schema.variable(name).kind == "flag"]

    def was_given(self, header: str) -> bool:
        """Whether a header of assistance says that it was given, and not that it is needed.

        >>> vocabulary().was_given("shelterProvided"), vocabulary().was_given("Shelter")
        (True, False)
        """
        return any(one.startswith(self._provision) for one in words_of(header))

    def is_token(self, header: str) -> bool:
        """Whether a header speaks of a key that the contributor has made for linking."""
        return any(said in fold_name(header) for said in self.names["tokens"])

    def about_consent(self, header: str) -> bool:
        """Whether a header says who agreed; below it only a cell without a text is empty.

        >>> vocabulary().about_consent("Authorisation"), vocabulary().about_consent("OK to share")
        (True, True)
        >>> vocabulary().about_consent("Work authorisation"), vocabulary().about_consent("Horizon")
        (False, False)
        """
        shared = self.says(header, "sharing") and self.objects(header)
        return shared or self.is_named(header, "consent_alone") or self.says(header, "consent")

    def turns(self, header: str) -> list[str]:
        """Words of a header about consent by which a yes may mean no.

        >>> vocabulary().turns("Consent not refused"), vocabulary().turns("Consent (yes/no)")
        (['not', 'refused'], [])
        """
        name = f" {' '.join(words_of(header))} "
        for answers in self.not_consent["yes_no"]:
            name = name.replace(f" {answers} ", " ")
        turn = self.not_consent["words"]
        return [
            one for one in name.split() if one in turn or self.denies(one) or self._opposes(one)
        ]

    def objects(self, header: str) -> bool:
        """Whether a yes below such a header opposes: one word turns it round, and nothing else.

        >>> vocabulary().objects("Refus de partage"), vocabulary().objects("Consent/refusal")
        (True, False)
        >>> vocabulary().objects("No objection"), vocabulary().objects("Do not share")
        (False, False)
        """
        turns = self.turns(header)
        return len(turns) == 1 and self._opposes(turns[0]) and not _EITHER.search(bare(header))

    def _opposes(self, word: str) -> bool:
        return any(part in word for part in self.not_consent["parts"])

    def about_standing(self, header: str) -> bool:
        """Whether a header asks if the person is a victim.

        >>> vocabulary().about_standing("Is VoT"), vocabulary().about_standing("Trafficked")
        (True, True)
        >>> vocabulary().about_standing("Country trafficked to")
        False
        """
        alone = self.is_named(header, "standing_alone")
        return (alone or self.says(header, "standing")) and not self.about_others(header)

    def is_nobody(self, header: str, text: str, yes: bool) -> bool:
        """Whether a cell says that its row is about nobody, or about no victim.

        Args:
            header, text: of the cell.
            yes: whether the text is a yes.

        >>> vocabulary().is_nobody("Call type", "Prank call", False)
        True
        >>> vocabulary().is_nobody("Case status", "Unfounded", False)
        True
        >>> vocabulary().is_nobody("Event status", "SCHEDULE", False)
        True
        >>> vocabulary().is_nobody("Pregnancy", "Not confirmed", False)
        False
        """
        if yes and self.is_named(header, "nobody_headers"):
            return True
        pairs = ("calls", "enquiries"), ("events", "planned")
        none = any(self.is_named(header, a) and word(text) in self.names[b] for a, b in pairs)
        unproven = self.says(header, "states") and self.says(text, "unproven")
        return none or unproven or self.says(text, "nobody")

    def about_others(self, header: str) -> bool:
        """Whether a header speaks of someone else than the person the record is about.

        >>> vocabulary().about_others("denunciante_genero"), vocabulary().about_others("genero")
        (True, False)
        >>> vocabulary().about_others("Age of son"), vocabulary().about_others("Quel est son âge ?")
        (True, False)
        """
        return fold_name(header) not in self.headers and self.says(bare(header), "others")

    def about_perpetrators(self, name: str) -> bool:
        """Whether the name of a child table speaks of perpetrators.

        >>> vocabulary().about_perpetrators("perp"), vocabulary().about_perpetrators("services")
        (True, False)
        """
        return self.says(name, "perpetrators")

    def without_perpetrators(self, column: str) -> str:
        """The last part of the name of a child's column, without words for perpetrators.

        >>> vocabulary().without_perpetrators("perp.g/perp_sex")
        'sex'
        >>> vocabulary().without_perpetrators("auteurs.sexe_auteur")
        'sexe'
        """
        said = words_of(SEGMENT.split(column)[-1])
        known = {part for phrase in self.phrases["perpetrators"] for part in words_of(phrase)}
        return " ".join(part for part in said if part not in known)

    def group_of(self, header: str) -> str | None:
        """The group of flags that a header names, None where it says anything else as well.

        >>> vocabulary().group_of("Means of control"), vocabulary().group_of("Means of transport")
        ('means', None)
        >>> vocabulary().group_of("Types of exploitation suffered 2")
        'exploitation'
        """
        *sections, last = SEGMENT.split(bare(header))
        path = [one for one in sections if not {*words_of(one)} <= {*words_of(last)}]
        path = [one for one in path if self.groups.get(of_group(one)) != "exploitation"]
        if all(map(is_neutral, path)) and (group := self.groups.get(of_group(last))):
            return group
        sure = [name for name, whole in self.rooted(header).items() if whole]
        return sure[0] if len(sure) == 1 and not load_schema().has(sure[0]) else None

    def rooted(self, header: str) -> dict[str, bool]:
        """Variables and groups whose roots a header has, each with whether it says nothing else.

        >>> [vocabulary().rooted(x)["age_band"] for x in ("Victim's ageYears", "Age of the mother")]
        [True, False]
        >>> vocabulary().rooted("AGE_YRS")["age_band"], list(vocabulary().rooted("passport_taken"))
        (True, ['means_withholds_documents'])
        """
        if header not in self._rooted:
            self._rooted[header] = self._by_roots(words_of(header.replace("-t-", " ")))
        return self._rooted[header]

    def _by_roots(self, said: tuple[str, ...]) -> dict[str, bool]:
        places: dict[str, frozenset[int]] = {}
        of_name: dict[str, set[int]] = defaultdict(set)
        perhaps: list[str] = []
        for one in self._roots:
            hits = [root.places(said) for root in one.parts]
            of_name[one.name].update(i for at in hits for i in at)
            if not all(hits):
                continue
            at = frozenset(places_of[0] for places_of in hits)
            if not one.sure:
                perhaps.append(one.name)
            elif len(at) > len(places.get(one.name, ())):
                places[one.name] = at
        wider = {
            name: at
            for name, at in places.items()
            if not any(at < other for key, other in places.items() if key != name)
        }
        sure = {
            name: sum(at == other for other in wider.values()) == 1
            and all(i in of_name[name] or self._is_silent(w, name) for i, w in enumerate(said))
            and not any(w in self.negations and i not in at for i, w in enumerate(said))
            for name, at in wider.items()
        }
        return sure | {name: False for name in (*places, *perhaps) if name not in wider}

    def _speaks_alone(self, name: str) -> bool:
        """Whether a header means a variable without the name of its group: "friend" does not."""
        schema = load_schema()
        if not schema.has(name):
            return False
        v = schema.variable(name)
        return v.kind != "flag" or v.group in (None, HARM, MEANS, TECHNOLOGY)

    def _is_silent(self, word: str, name: str) -> bool:
        if word in self._silent or word.isdigit():
            return True
        schema = load_schema()
        of_form = not schema.has(name) or schema.variable(name).kind in ("flag", "status")
        return of_form and word in own_words()["sections"]

    def flag_named(self, header: str) -> str | None:
        """The flag that a header names by a group and a kind, such as ``sector_begging``.

        >>> vocabulary().flag_named("exploitation/labour")
        'exploitation_forced_labour'
        """
        header = bare(header)
        *path, last = SEGMENT.split(header)
        ways = [("/".join(path), last)] if path else []
        said = words_of(header)
        ways += [(" ".join(said[:n]), " ".join(said[n:])) for n in range(len(said) - 1, 0, -1)]
        for first, kind in ways:
            if (group := self.group_of(first)) and (flag := self.flag_in(group, kind)):
                return flag
        return None

    def flag_in(self, group: str, kind: str) -> str | None:
        """The flag of a kind under a header of a group; None where several or none fit."""
        schema = load_schema()
        key = word(kind)
        flags = self.flags.get(key, frozenset())
        own = [flag for flag in flags if schema.variable(flag).group == group]
        if not own and key in self.other:
            own = [v.name for v in schema.records if v.group == group and v.name.endswith("_other")]
        near = self.near.get(group, ())
        own = own or [flag for flag in flags if schema.variable(flag).group in near]
        own = own or [n for n in self._kinds(kind) if schema.variable(n).group in (group, *near)]
        return own[0] if len(own) == 1 else None

    def flags_in(self, group: str, kind: str) -> list[str]:
        """The flags of a kind under a header of a group, or of each of two that a text joins.

        >>> vocabulary().flags_in("exploitation", "Sexual y laboral")
        ['exploitation_sexual', 'exploitation_forced_labour']
        >>> vocabulary().flags_in("exploitation", "Sexual (prostitution, pornography)")
        ['exploitation_sexual']
        """
        kind = kind if self.denies(kind) else _EXAMPLES.sub("", kind)
        if single := self.flag_in(group, kind):
            return [single]
        each = [self.flag_in(group, part) for part in _JOINED.split(kind)]
        known = [flag for flag in each if flag]
        return known if len(known) == len(each) > 1 and not self.denies(kind) else []

    def meant_by(self, header: str) -> frozenset[str]:
        """Words of cells that say something under a header, though they mean nothing elsewhere."""
        said: set[str] = set()
        for variable in self.variables(header):
            if load_schema().has(variable):
                said.update(self.codes.get(variable, ()))
        if group := self.group_of(header):
            said |= self.strangers.get(group, frozenset())
        return frozenset(said)

    def is_country(self, header: str) -> bool:
        """Whether a header may mean a country."""
        schema = load_schema()
        return any(
            schema.has(name) and schema.variable(name).kind == "country"
            for name in self.variables(header)
        )

    def variables(self, header: str) -> dict[str, float]:
        """Hub variables that a header may mean, each with a score up to 1.

        The whole header, or its last part where the parts before it speak of nobody else, with or
        without words such as "of the person"; else, from :data:`CLOSE`, a single long word that
        is spelt otherwise.

        >>> vocabulary().variables("Nacionalidad")["citizenship"]
        1.0
        >>> vocabulary().variables("Contact: Gender"), vocabulary().variables("Partner: Gender")
        ({'gender': 1.0}, {})
        """
        header = bare(header)
        *path, last = SEGMENT.split(header)
        parts = [header, last] if all(map(is_neutral, path)) else [header]
        for part in parts:
            for key, index in ((fold_name(part), self.headers), (plain_header(part), self._plain)):
                if key and (names := index.get(key)):
                    return dict.fromkeys(sorted(names), 1.0)
        sure = [name for name, whole in self.rooted(header).items() if whole]
        if named := [name for name in sure if self._speaks_alone(name)]:
            return dict.fromkeys(named, ROOTED)
        for part in parts:  # a date in a section may be of anything
            weak = self.weak.get(fold_name(part))
            if weak and (part == header or len(words_of(part)) > 1):
                return {weak: WEAK}
        key = fold_name(header)
        if len(key) < LONG or len(words_of(header)) > 1:
            return {}
        near = difflib.get_close_matches(key, self.headers, n=1, cutoff=CLOSE)
        if not near or near[0][0] != key[0]:
            return {}
        score = ROOTED * difflib.SequenceMatcher(None, key, near[0]).ratio()
        return dict.fromkeys(sorted(self.headers[near[0]]), score)


class Root(NamedTuple):
    """The beginning of a word, or a whole one."""

    text: str
    whole: bool

    def places(self, said: tuple[str, ...]) -> list[int]:
        """Where it stands among the words of a header; an article of Arabic may be before it."""
        return [i for i, one in enumerate(said) if self._is(one)]

    def _is(self, one: str) -> bool:
        if self.whole:
            return one == self.text
        return one.startswith(self.text) or (not self.text.isascii() and self.text in one)


class RootPhrase(NamedTuple):
    """Roots that stand in a header together where it means a variable or a group."""

    name: str
    parts: tuple[Root, ...]
    sure: bool


def _root(name: str, said: str) -> RootPhrase:
    """A phrase of the file of words.

    >>> _root("age_band", "~age").sure, _root("citizenship", "nat.").parts[0].whole
    (False, True)
    """
    parts = said.removeprefix("~").split()
    short = (p[-1] == "." or len(p) < (WHOLE if p.isascii() else WHOLE - 1) for p in parts)
    roots = (Root("".join(words_of(p)), whole) for p, whole in zip(parts, short, strict=True))
    return RootPhrase(name, tuple(roots), not said.startswith("~"))


@cache
def vocabulary() -> Vocabulary:
    """The words of this version of the software."""
    return Vocabulary()


def _by_word(lists: dict[str, Any], form: Callable[[str], str]) -> dict[str, str]:
    """What each word is listed under."""
    return {form(said): name for name, words in lists.items() for said in flat(words)}


def _learned(
    own: dict[str, Any],
) -> tuple[list[tuple[str, str]], dict[str, set[str]], dict[str, dict[str, str]]]:
    """Headers with the variables that they name, words of kinds with their flags, and of codes."""
    phrases: list[tuple[str, str]] = []
    flags: dict[str, set[str]] = defaultdict(set)
    codes: dict[str, dict[str, str]] = {}
    schema = load_schema()
    for v in schema.records:
        named = (v.name, *(label(v.name, lang) for lang in LANGUAGES))
        if v.kind == "flag":
            kind = v.name.removeprefix(f"{v.group}_")
            _add_flag(flags, (*named, kind), v.name)
        all_ = v.kind != "flag" or v.group in (None, HARM, MEANS)
        phrases += [(said, v.name) for said in (named if all_ else named[:1])]
        if v.kind in ("code", "status"):
            codes[v.name] = {
                fold_name(said): code
                for code in schema.domain(v.name)
                for said in (code, *(code_label(v.name, code, lang) for lang in LANGUAGES))
            } | _by_word(own["codes"].get(v.codes, {}), fold_name)
    for name, words in own["headers"].items():
        phrases += [(said, name) for said in flat(words)]
        if schema.has(name) and schema.variable(name).kind == "flag":
            _add_flag(flags, words, name)
    for name, words in own["flags"].items():
        _add_flag(flags, words, name)
        if schema.variable(name).group in (HARM, MEANS):
            long = (w for w in flat(words) if len(w.split()) > 1 or len(w) >= OWN_HEADER)
            phrases += [(said, name) for said in long]
    for column in _known_columns():
        _learn(column, phrases, flags, codes)
    return phrases, flags, codes


def _add_flag(flags: dict[str, set[str]], words: Any, flag: str) -> None:
    for said in flat(words):
        flags[fold_name(said)].add(flag)


def _pair(entry: dict[str, Any]) -> LetterPair:
    under = tuple(map(fold_name, entry.get("under", ())))
    return LetterPair({word(w): code for code, w in entry.items() if code != "under"}, under)


def _indexed(
    phrases: list[tuple[str, str]], form: Callable[[str], str]
) -> dict[str, frozenset[str]]:
    index: dict[str, set[str]] = defaultdict(set)
    for said, name in phrases:
        index[form(said)].add(name)
    return {key: frozenset(names) for key, names in index.items() if key}


def _known_columns() -> Iterator[CrosswalkColumn]:
    for name in NAMES:
        walk = load_crosswalk(name)
        if walk.kind == "file":
            yield from (column for column in walk.columns if not column.is_child)


def _learn(
    column: CrosswalkColumn,
    phrases: list[tuple[str, str]],
    flags: dict[str, set[str]],
    codes: dict[str, dict[str, str]],
) -> None:
    """Take over the words of a column of a known format."""
    if column.to and column.form in ("year", "code", "country", "flag", "mark"):
        phrases.extend((said, column.to) for said in (column.name, *column.also))
    for value in column.values:
        words = [fold_name(text) for text in (value.text, *value.also)]
        if column.form in ("list", "joined") and value.to:
            _add_flag(flags, words, value.to)
        elif column.form == "code" and column.to and value.to:
            for said in words:
                codes[column.to].setdefault(said, value.to)


# --------------------------------------------------------------------------------------------------
# The sexes in a column: whole words, and one-letter codes as a pair that fits one language.
#
# H is a man in French and Spanish, M a man in English and French and a woman in Spanish, F a man in
# Hungarian: a letter alone says nothing.


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
