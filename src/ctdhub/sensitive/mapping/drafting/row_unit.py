"""What a row of an unknown file is: a person, a report or a call, and whose number it carries."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.i18n import Numeral, Text, many
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.model import AGE, NOT_COUNTED, SEX, STANDING, load_schema
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding, words
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.shape.systems import known_identifiers, system_of
from ctdhub.sensitive.mapping.drafting import proposals
from ctdhub.sensitive.mapping.drafting.proposals import Doubt, Glance, Proposal, means_nothing
from ctdhub.sensitive.mapping.drafting.vocabulary import says, sexes, vocabulary, word
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.parsers import number_of
from ctdhub.sensitive.mapping.transform import NOT_COUNTED_RULE

SEXES = 6
"""Most texts of a column of sexes."""

SLIPS = 0.05
"""Share of the shared numbers up to which a second gender or birth date may be a slip."""


_COUNT = re.compile(r"\d{1,3}(?:[ \u00a0\u202f.,٬'’]?\d{3})*")

OLDER = 10
"""Years of age between two rows of one person that no file spans."""


@dataclass(frozen=True)
class SharedNumbers:
    """How many numbers stand in several rows, and how many of them speak of several people.

    Attributes:
        column: the column of the numbers.
        shared: numbers that stand in several rows.
        contradicted: those of them whose rows differ in what a person keeps.
        compared: whether the file has anything by which people can be told apart.
        line: a column that counts the rows of each number, if there is one.
    """

    column: str
    shared: int
    contradicted: int
    compared: bool
    line: str | None = None

    @property
    def several_people(self) -> bool:
        """Whether rows of one number are not one person, for all that the file says."""
        return not self.compared or self.contradicted > SLIPS * self.shared

    def note(self) -> Text:
        """What the steward should know of it."""
        n, k = Numeral(self.shared), Numeral(self.contradicted)
        said = Text("numbers that appear in several rows: {n}; of these, of several people: {k}")
        if not self.compared:
            said = Text(
                "numbers that appear in several rows: {n}; hash only if each is one person’s own"
            )
        return said.holding(n=n, k=k)


def people_in_a_row(headers: Iterable[str]) -> list[str]:
    """Columns of the sex or age of the first, second … person of one row; empty where none are.

    >>> people_in_a_row(["Victim 1 sex", "Victim 1 note", "Victim 2 sex"])
    ['Victim 1 sex', 'Victim 2 sex']
    >>> people_in_a_row(["sex", "Suspect 1 age", "Suspect 2 age", "language 1", "language 2"])
    []
    """
    alike: dict[str, list[str]] = {}
    for header in headers:
        without = " ".join(re.sub(r"\d+", " ", header).replace("_", " ").split())
        if without != header and not vocabulary().about_others(header):
            alike.setdefault(without, []).append(header)
    for without, columns in alike.items():
        if len(columns) > 1 and {SEX, AGE} & vocabulary().variables(without).keys():
            return columns
    return []


def shared_numbers(
    table: pa.Table, number: str, births: Iterable[str], glances: Iterable[Glance]
) -> SharedNumbers | None:
    """Compare rows of an equal number; None where every number stands in one row.

    Args:
        table: text columns.
        number: the column with the number.
        births: columns of birth dates.
        glances: the other columns; those of sexes, roles and ages are compared.
    """
    filled = table.filter(pc.is_valid(table[number]))
    sizes = filled.group_by(number).aggregate([([], "count_all")])
    shared = sizes.filter(pc.greater(sizes["count_all"], 1))[number]
    if not len(shared):
        return None
    columns = list(glances)
    roles = not_victims(columns)
    kept = [*births, *([roles[0]] if roles else [])]
    few = (c for c in columns if 1 < len(c.texts) <= SEXES)
    kept += [c.name for c in few if len(sexes(c.name, c.texts)) > 1]
    contradicted: set[str] = set()
    compared = False
    for column in dict.fromkeys(kept):
        counts = _by_number(filled, number, column, word, "count_distinct")
        compared |= len(pc.unique(filled[column].drop_null())) > 1
        contradicted |= set(counts.filter(pc.greater(counts["found"], 1))["number"].to_pylist())
    for seen in columns:
        if AGE in vocabulary().variables(seen.name) and not vocabulary().about_others(seen.name):
            oldest = _by_number(filled, number, seen.name, _age, "max")
            youngest = _by_number(filled, number, seen.name, _age, "min")
            apart = pc.greater(pc.subtract(oldest["found"], youngest["found"]), OLDER)
            contradicted |= set(oldest.filter(apart)["number"].to_pylist())
    line = next((c.name for c in columns if _counts_rows(filled, number, c)), None)
    return SharedNumbers(number, len(shared), len(contradicted), compared, line)


def _age(text: str) -> str | None:
    age = number_of(fold(text))
    return None if age is None else f"{age:07.2f}"


def _by_number(
    table: pa.Table, number: str, column: str, read: Callable[[str], str | None], what: str
) -> pa.Table:
    """What a column says for each number, in the order of the numbers: ``number``, ``found``."""
    encoded = table[column].combine_chunks().dictionary_encode()
    said = pa.array([read(text) for text in encoded.dictionary.to_pylist()], pa.string())
    keyed = pa.table({"number": table[number], "said": said.take(encoded.indices)}).drop_null()
    if what != "count_distinct":
        keyed = keyed.set_column(1, "said", keyed["said"].cast(pa.float64()))
    groups = keyed.group_by("number").aggregate([("said", what)]).sort_by("number")
    return groups.rename_columns(["number", "found"])


def _counts_rows(table: pa.Table, number: str, column: Glance) -> bool:
    """Whether a column numbers the rows of each number from 1 on."""
    lines = {text: int(line) for text in column.texts if (line := _count(text))}
    if not lines or len(lines) < len(column.texts):
        return False
    encoded = table[column.name].combine_chunks().dictionary_encode()
    read = pa.array([lines.get(text) for text in encoded.dictionary.to_pylist()], pa.int64())
    numbered = pa.table({"number": table[number], "line": read.take(encoded.indices)})
    groups = numbered.group_by("number").aggregate(
        [("line", "min"), ("line", "max"), ("line", "count_distinct"), ([], "count_all")]
    )
    rows = groups["count_all"]
    ends = pc.and_(pc.equal(groups["line_min"], 1), pc.equal(groups["line_max"], rows))
    each = pc.and_(ends, pc.equal(groups["line_count_distinct"], rows))
    return bool(pc.all(each.fill_null(False)).as_py())


def unit_of(columns: Iterable[str]) -> str | None:
    """``report`` or ``call`` where a header gives it away, else None: probably a person.

    >>> unit_of(["call date", "topic"]), unit_of(["number of victims"]), unit_of(["sex", "age"])
    ('call', 'report', None)
    """
    headers, units = list(columns), vocabulary().units.items()
    return next((unit for unit, said in units if any(says(h, said) for h in headers)), None)


def counted_people(
    columns: Iterable[Glance], read: Dictionary[str, Collection[str]]
) -> Text | None:
    """What is said of a table of counts, None where a file is none.

    Headers of a table of counts are themselves sexes (``Women``, ``Male victims``), its cells whole
    numbers; where these are at most two they may be codes of answers.  A sex, or an age that is no
    range, is that of one person.

    Args:
        columns: those of the file that are no identifiers.
        read: the columns of which each variable is read.

    >>> women, men = (Glance(n, ("3", "0"), (), {"3": 1, "0": 1}, 2) for n in ("Women", "Men"))
    >>> counted_people([women], {}) is None, counted_people([women, men], {}) is None
    (True, False)
    """
    own, seen = vocabulary(), {column.name: column for column in columns}
    ages = [seen.get(name) for name in read.get(AGE, ())]
    if SEX in read or any(column is None or column.share(_age) for column in ages):
        return None
    sex_of = {}
    for name, column in seen.items():
        plain = word(" ".join(one for one in words(name) if not own.says(one, "victims")))
        if plain in own.codes[SEX] and column.texts and column.share(_count) == 1:
            sex_of[name] = own.codes[SEX][plain]
    numbers = {_count(text) for name in sex_of for text in seen[name].texts}
    if not numbers - {"1", "2", *own.null_codes} or len({*sex_of.values()}) < 2:
        return None
    return Text(
        "This looks like a table of counts: {columns} count people, so a row is no person and "
        "nobody is counted. Send a file with a row for each person, or take part by counts: see "
        "“Take part without handing over records”.",
        columns=", ".join(sex_of),
    )


def _count(text: str) -> str | None:
    """A whole number, with or without signs between its thousands, in digits alone."""
    return str(int(re.sub(r"\D", "", text))) if _COUNT.fullmatch(trim(text)) else None


def not_victims(glances: Iterable[Glance]) -> tuple[str, list[str]] | None:
    """The column that says who a row is about, if any, with its texts that are no victims.

    Beside a victim, or below a header of roles, any word for others says so; alone only one that
    names a suspect, a witness or whoever reports, below a header that speaks of the person.
    """
    own = vocabulary()
    for column in (each for each in glances if each.coded):
        rest = [t for t in column.texts if not own.says(t, "victims")]
        others = [t for t in rest if own.says(t, "others", "bystanders", "relatives")]
        sure = any(word(t) in own.names["bystanders"] for t in others)
        sure &= not (own.about_others(column.name) or own.group_of(column.name))
        sure |= len(rest) < len(column.texts) or own.is_named(column.name, "roles")
        if others and sure:
            return column.name, others
    return None


# --------------------------------------------------------------------------------------------------
# Who is counted: columns of consent, of who or what a row is about, and of the form that it repeats
# (REDCap), where a row may be a visit or a person of the record above.  Nothing is made of a file
# before its mapping decides about them; drafts, kit and desk ask the same question.
#
# A rule of consent keeps the texts that say yes rather than leaving out those that say no, so that
# a text which nobody has seen yet counts as no consent.  Blanks are neither: a person decides.

NO_CONSENT = "no-consent"
"""Name of the exclusion for want of consent."""


class WayOut(NamedTuple):
    """A rule that leaves rows out: its name, what it does, and its conditions."""

    name: str
    label: Text
    conditions: dict[str, dict[str, list[str]]]


class WhoCounts(NamedTuple):
    """What a column says of who is counted.

    Attributes:
        account: the rows by what it says.
        ways: rules to choose from; none where texts and name do not tell by themselves.
        by_hand: what to do then.
    """

    account: Text
    ways: tuple[WayOut, ...]
    by_hand: Text


def free_name(name: str, taken: Collection[str]) -> str:
    """A name for an exclusion that none has yet.

    >>> free_name("no-consent", ["no-consent", "no-consent-2"])
    'no-consent-3'
    """
    others = (f"{name}-{n}" for n in range(2, len(taken) + 3))
    return next(one for one in (name, *others) if one not in taken)


def who_counts_in(column: Glance) -> WhoCounts | None:
    """What a column says of who is counted, None where it says nothing of it."""
    if not column.texts:
        return None
    if vocabulary().about_consent(column.name):
        return _consent(column)
    return _repeated(column) if word(column.name) in _REPEATED else _standing(column)


_REPEATED = frozenset(map(word, ("redcap_repeat_instrument", "Repeat Instrument")))
"""Headers, raw and as labels, of the form that a row of an export of REDCap repeats."""


def _repeated(column: Glance) -> WhoCounts:
    n = column.rows_of(column.texts)
    account = Text("rows of a form that repeats within a record: {n} of {all}; if each is a "
                   "person, leave this column out",
                   n=Numeral(n), all=Numeral(column.all))  # fmt: skip
    way = many("leave out {n} row of a repeated form", "leave out {n} rows of a repeated form", n)
    rule = WayOut("repeated-form", way, {"unless": {column.name: [""]}})
    return WhoCounts(account, (rule,), account)


def _consent(column: Glance) -> WhoCounts:
    own, filled = vocabulary(), column.rows_of(column.texts)
    turned, objects = own.turns(column.name), own.objects(column.name)
    answers = own.yes_no(column.texts)
    if not turned:
        answers |= {t: said for t in column.texts if (said := own.consent_answers.get(word(t)))}
    wanted = "no" if objects else "yes"
    kept = [*{fold(t): t for t, said in answers.items() if said == wanted}.values()]
    agreed = column.rows_of(t for t, said in answers.items() if said == "yes")
    refused, blank = column.rows_of(answers) - agreed, column.all - filled
    n = column.all - (refused if objects else agreed)
    sure = many("leave out {n} row without a yes", "leave out {n} rows without a yes", n)
    if objects:
        sure = many("leave out {n} row without a no", "leave out {n} rows without a no", n)
    elif blank:
        sure = many("leave out {n} row without a yes, empty cells too",
                    "leave out {n} rows without a yes, empty cells too", n)  # fmt: skip
    lenient = many("leave out {n} row, keep those that are empty",
                   "leave out {n} rows, keep those that are empty", n - blank)  # fmt: skip
    ways = [(sure, kept), (lenient, [*kept, ""] if blank else [])]
    coded = any(t.strip().isdigit() for t in column.texts if t not in answers)  # codes of a list
    account = Text(
        "consent: yes in {yes} rows, no in {no}, empty in {empty}, something else in {other}"
    )
    if turned:
        account = Text(
            "its name turns consent round: yes in {yes} rows, no in {no}, empty in {empty}"
        )
    return WhoCounts(
        account.holding(yes=Numeral(agreed), no=Numeral(refused), empty=Numeral(blank),
                        other=Numeral(filled - agreed - refused)),
        tuple(WayOut(NO_CONSENT, label, {"unless": {column.name: of}}) for label, of in ways if of)
        if not coded and (objects or (kept and not turned))
        else (),
        Text("it is about consent: choose the texts that do not say that the person agrees, and "
             "leave these rows out"),
    )  # fmt: skip


def _standing(column: Glance) -> WhoCounts | None:
    own = vocabulary()
    codes, answers = own.codes[STANDING], own.yes_no(column.texts)
    asks = own.about_standing(column.name)
    known = [
        t
        for t in column.texts
        if codes.get(word(t)) in NOT_COUNTED
        or own.is_nobody(column.name, t, answers.get(t) == "yes")
        or (asks and (answers.get(t) == "no" or own.says(t, "standing_no")))
    ]
    others = not_victims([column])
    denied = any(own.denies(t) and (asks or own.says(t, "victims")) for t in column.texts)
    named = STANDING in own.variables(column.name)
    named &= own.says(column.name, "victims", "trafficking")
    letters = {word(t) for t in column.texts}
    lettered = "v" in letters and max(map(len, letters)) == 1
    named |= own.is_named(column.name, "roles")
    named |= lettered and own.is_named(column.name, "lettered")
    named &= not all(_is_victim(t) or answers.get(t) == "yes" for t in column.texts)
    if not column.coded or not (named or known or others or denied):
        return None
    by_role = others[1] if others and not own.about_others(column.name) else ()
    texts = [*dict.fromkeys((*known, *by_role))]
    n = column.rows_of(texts)
    said = many("leave out {n} row that is not about a victim",
                "leave out {n} rows that are not about a victim", n)  # fmt: skip
    rule = WayOut(NOT_COUNTED_RULE, said, {"when": {column.name: texts}})
    return WhoCounts(
        Text("rows that may not be about a victim: {n} of {all}",
             n=Numeral(n), all=Numeral(column.all)),
        (rule,) if texts else (),
        Text("it says who is a victim: choose the texts of those who are not, and leave these rows "
             "out"),
    )  # fmt: skip


def _is_victim(text: str) -> bool:
    own = vocabulary()
    code = own.codes[STANDING].get(word(text))
    return code not in NOT_COUNTED if code else own.says(text, "victims") and not own.denies(text)


def decided_columns(mapping: Mapping) -> frozenset[str]:
    """Folded columns about which a mapping says anything, be it that they are left out."""
    left = (one.about for one in mapping.accept if one.name == "new-column")
    return frozenset(map(fold, (*mapping.identifiers, *mapping.needed(), *mapping.optional, *left)))


def undecided(codes: pa.Table, mapping: Mapping) -> list[str]:
    """Columns of a file that say who is counted, and about which its mapping says nothing.

    Args:
        codes: its table, as ``evaluation.as_codes`` gives it.
    """
    columns, decided = [], decided_columns(mapping)
    for name in (n for n in codes.column_names if n != ROW and fold(n) not in decided):
        texts = codes[name].combine_chunks().dictionary
        consent = vocabulary().about_consent(name)
        if len(texts) <= 2 * proposals.FEW or consent:
            said = [t for t in texts.to_pylist() if fold(t) and (consent or not means_nothing(t))]
            columns += [name] if who_counts_in(Glance(name, tuple(said))) else []
    return columns


# --------------------------------------------------------------------------------------------------
# What a draft says of child rows: those of perpetrators, and those that may speak for a record.


@dataclass(frozen=True)
class ChildRules:
    """Rules for the rows of a child table of perpetrators.

    Attributes:
        child: name of the table.
        rules: for each variable of a perpetrator its rule.
    """

    child: str
    rules: dict[str, Proposal]


def record_proposals(raw: RawTable, column: Glance) -> Iterator[Proposal | Doubt]:
    """What a column may be for the record; of one folded from several child rows only a doubt.

    Which of several events or services counts for a person is for the steward to say.
    """
    several = [
        name
        for name, rows in raw.children.items()
        if column.name in rows.column_names and len(pc.unique(rows["_row"])) < rows.num_rows
    ]
    if not several:
        yield from _without_shared_word(raw, column)
        return
    own = replace(column, name=vocabulary().without_perpetrators(column.name))
    if any(isinstance(each, Proposal) for each in proposals.proposals(own)):
        reason = Text(
            "a record has several rows of {child}: say by fold under read, or by split and take, "
            "which of them counts"
        )
        yield Doubt(column.name, reason.holding(child=several[0]))


SHORT = 4
"""Letters of a word before most column names that may be the short name of a programme."""


def _without_shared_word(raw: RawTable, column: Glance) -> Iterator[Proposal | Doubt]:
    """What a column may be, without the short word that stands before most names of the file."""
    shared = _shared_word(tuple(raw.column_names()))
    short = column.name.removeprefix(shared or "")
    if not shared or short == column.name or vocabulary().about_others(column.name):
        yield from proposals.proposals(column)
        return
    doubt = Text("the word before most column names was left out: {word}", word=shared)
    for each in proposals.proposals(replace(column, name=short)):
        if isinstance(each, Proposal):
            yield replace(each, column=column.name, doubts=(*each.doubts, doubt))
        else:
            yield replace(each, column=column.name)


@cache
def _shared_word(names: tuple[str, ...]) -> str | None:
    """The short word, with what follows it, before most names; None where it tells some apart.

    >>> _shared_word(("Id", "TIP Sex", "TIP Age", "TIP Country")), _shared_word(("t_sex", "v_sex"))
    ('TIP ', None)
    """
    parts = [re.fullmatch(rf"(\w{{1,{SHORT}}}?[ _:.-]+)(.+)", name) for name in names]
    counts = Counter(part[1] for part in parts if part)
    first, n = counts.most_common(1)[0] if counts else ("", 0)
    rest = [part[2] if part else name for part, name in zip(parts, names, strict=True)]
    known = vocabulary().rooted(first) or vocabulary().variables(first)
    return first if n > len(names) / 2 > 1 and len(set(rest)) == len(rest) and not known else None


def child_rules(
    raw: RawTable,
    findings: dict[str, IdentifierFinding],
    of_form: Callable[[Glance, str], Iterable[Proposal | Doubt] | None] | None = None,
) -> ChildRules | None:
    """Rules for the first child table that speaks of perpetrators, None where there is none.

    Args:
        raw: the file as read.
        findings: columns that may identify somebody, of which no rule is made.
        of_form: what a column of a child table may be by the form that the file is an export of,
            None where the form is silent.
    """
    variables = load_schema().table("perpetrators")
    for child, rows in raw.children.items():
        rules: dict[str, Proposal] = {}
        columns = [c for c in rows.column_names if c != "_row" and c not in findings]
        for column in columns if vocabulary().about_perpetrators(child) else ():
            seen = proposals.glance(rows, column)
            hints = of_form(seen, child) if of_form else None
            if hints is None:
                named = replace(seen, name=vocabulary().without_perpetrators(column))
                hints = list(proposals.proposals(named))
            for each in (one for one in hints if isinstance(one, Proposal)):
                if each.target == AGE and each.rule != {"band": True}:
                    continue  # bands of the ages of perpetrators are others
                for variable in variables:
                    if variable.name.endswith(f"_{each.target}"):
                        rules.setdefault(variable.name, replace(each, column=column))
        if rules:
            return ChildRules(child, rules)
    return None


def identifiers_of_systems(raw: RawTable) -> tuple[dict[str, IdentifierFinding], dict[str, str]]:
    """Columns that exports of a known system have for numbers and users, and what becomes of each.

    Returns:
        Findings, and decisions in the words of a mapping.
    """
    columns = raw.column_names()
    known = known_identifiers(columns, raw.children)
    system = system_of(columns)
    reason = Text("exports of {system} hold a number or a user here")
    reason = reason.holding(system=system.name if system else "")
    return {
        c: IdentifierFinding(c, "name" if d == "strip" else "case_number", 1.0, reason)
        for c, d in known.items()
    }, dict(known)


def decided_with(known: dict[str, str], decisions: dict[str, str]) -> dict[str, str]:
    """Decisions in which what is known of a system goes before what was found by looks.

    One column becomes the person key, or where none numbers people the number of a case.

    >>> decided_with({"_id": "case"}, {"_id": "hash", "uuid": "case", "name": "strip"})
    {'_id': 'case', 'uuid': 'strip', 'name': 'strip'}
    >>> decided_with({"Event": "case", "Tracked entity": "hash"}, {})
    {'Event': 'strip', 'Tracked entity': 'hash'}
    """
    own = [c for decision in ("hash", "case") for c, d in known.items() if d == decision]
    if not own:
        return decisions | known
    keyed = "token" in decisions.values()
    merged = {c: "strip" if d in ("hash", "case") else d for c, d in decisions.items()}
    merged |= {c: d if c == own[0] or d == "strip" else "strip" for c, d in known.items()}
    if keyed:
        merged[own[0]] = "case"
    return merged


def left_out(raw: RawTable, used: Iterator[str] | list[str]) -> tuple[str, ...]:
    """Columns that a rule reads and that some record lacks: an export may leave them out."""
    lacking = (c for c in dict.fromkeys(used) if c in raw.table.column_names)
    return tuple(c for c in lacking if raw.table[c].null_count)
