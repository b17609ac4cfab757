"""Mappings that read the known formats, made from their crosswalks."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES
from ctdhub.core.tables import fold
from ctdhub.schema import crosswalk, form
from ctdhub.schema.crosswalk import Crosswalk, CrosswalkColumn, load_crosswalk
from ctdhub.schema.form import Question, questions
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.own_form import known_header
from ctdhub.sensitive.mapping.drafting.vocabulary import flat, own_words
from ctdhub.sensitive.mapping.mapping import Mapping

# --------------------------------------------------------------------------------------------------
# The built-in mapping ``ctdhub-form``: exports of what the form of the schema collected.
#
# KoboToolbox and ODK write a question of several choices as one cell of choice names with blanks
# between, as a column ``question/choice`` with 1 or 0 for each choice, or both; a repeat is a list
# in JSON and a sheet of its own in a workbook, and is missing from CSV.  A question that was not
# answered is an empty cell, in its columns of choices too: that is not recorded, and never no. The
# form has no groups, so a name with a stroke is a question and its choice (``kobo: false``).

FORM_NAME = "ctdhub-form"

SERVER = (
    *("start", "end", "today", "deviceid", "username", "phonenumber", "simserial", "subscriberid"),
    *("meta/instanceID", "meta/rootUuid", "meta/deprecatedID", "formhub/uuid", "rootUuid"),
    *("_id", "_uuid", "_submission_time", "_submitted_by", "_validation_status", "_notes", "_tags"),
    *("_status", "_index", "_attachments", "_geolocation", "_xform_id_string", "__version__"),
    *("_bamboo_dataset_id", "meta.instanceID", "meta-instanceID", "instanceID", "KEY", "Status"),
    *("SubmissionDate", "SubmitterID", "SubmitterName", "AttachmentsPresent", "DeviceID", "Edits"),
    *("AttachmentsExpected", "ReviewState", "FormVersion"),
)
"""Columns that KoboToolbox and ODK Central add; none of them is asked by the form."""

_DETAILS = {"1": form.YES, "0": form.NO, "TRUE": form.YES, "FALSE": form.NO}
_NOT_CHOSEN = [text for text, code in _DETAILS.items() if code == form.NO]


def form_mapping() -> Mapping:
    """The mapping, made from the questions of the form."""
    rules = [(q.repeat, name, rule) for q in questions() for name, rule in _rules(q)]
    read = [c for _inside, _name, rule in rules for c in (rule["from"], *rule.get("when", ()))]
    return _made(
        rules,
        {"child": form.REPEAT},
        name=FORM_NAME,
        read={"rows": "*", "kobo": False, "form": "ctdhub", "drop": ["_*", "formhub*", "meta*"],
              "children": {form.REPEAT: {"path": form.REPEAT}}},
        optional=[*dict.fromkeys(read), form.CASE],
        identifiers={form.CASE: "hash", **dict.fromkeys(SERVER, "strip")},
        exclude=[{"rule": "no-consent", "unless": {form.CONSENT: [form.YES]}}],
    )  # fmt: skip


def _made(
    rules: Iterable[tuple[bool, str, dict[str, Any]]], children: dict[str, Any], **said: Any
) -> Mapping:
    """A mapping whose rows are persons.

    Args:
        rules: each with whether it is for child rows, and the hub variable it fills.
        children: what is said of child rows, if there are any.
        said: further keys of the mapping.
    """
    columns: dict[str, list[dict[str, Any]]] = {}
    inner: dict[str, list[dict[str, Any]]] = {}
    for inside, name, rule in rules:
        (inner if inside else columns).setdefault(name, []).append(rule)
    said["columns"] = {v.name: columns[v.name] for v in load_schema().records if v.name in columns}
    if inner:
        said["perpetrators"] = {**children, "columns": inner}
    return Mapping.model_validate({"version": 1, "rows": "person", **said})


def fits_form(headers: Iterable[str]) -> bool:
    """Whether a file with these column names, as they are compared, is an export of the form."""
    columns = {own.name if (own := known_header(text)) else text for text in headers}
    columns = set(map(fold, columns))
    asked = {fold(q.name) for q in questions() if not q.repeat and q.kind != "many"}
    return fold(form.CONSENT) in columns and len(asked & columns) >= ENOUGH * len(asked)


ENOUGH = 0.5
"""Share of its questions that a file must have; a form may be cut by whoever uses it."""


def _rules(question: Question) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a question says of each of its variables."""
    if not question.variables:
        return
    column = f"{form.REPEAT}.{question.name}" if question.repeat else question.name
    variable = load_schema().variable(question.variables[0])
    if question.kind == "many":
        for flag in question.variables:
            choice, asked = f"{column}/{flag}", {f"{column}/{form.NOT_ASKED}": _NOT_CHOSEN}
            yield flag, _of_list(question, column, flag)
            yield flag, {"from": choice, "map": _DETAILS | dict.fromkeys(_NOT_CHOSEN)}
            yield flag, {"from": choice, "map": _DETAILS, "when": asked}  # 0 is no if it was asked
    elif question.kind == "integer":
        yield variable.name, {"from": column, ("year" if variable.kind == "year" else "band"): True}
    elif variable.kind == "country":
        yield variable.name, {"from": column, "country": True}
    elif variable.kind == "flag":
        nulls = [form.NOT_ASKED]
        codes = {form.YES: form.YES, form.NO: form.NO}
        yield variable.name, {"from": column, "map": codes, "null_values": nulls}
    else:
        yield variable.name, {"from": column}


def _of_list(question: Question, column: str, flag: str) -> dict[str, Any]:
    """One cell of names: what was not selected is no, unless nothing was asked."""
    others = [name for name in question.variables if name != flag]
    return {
        "from": column,
        "split": " ",
        "has": [flag],
        "absent": form.NO,
        "known": [*others, form.NONE],
        "null_values": [form.NOT_ASKED],
        "unknown": "reject",
    }


# --------------------------------------------------------------------------------------------------
# Texts that every built-in mapping accepts beside those of its format.
#
# The codes of the hub, their labels in the offered languages and the words of the vocabulary: who
# fills in a form writes "Female" where the standard says "Feminine".  Texts of fewer than three
# letters stand for nothing here: they are codes of somebody's own.

SHORTEST = 3
"""Letters of the shortest word that counts; codes of the hub count whatever their length."""


@cache
def code_texts(variable: str) -> dict[str, str]:
    """Folded texts for the codes of a variable; one that stands for two codes is left out.

    >>> code_texts("gender")["woman"], code_texts("gender").get("f")
    ('female', None)
    """
    schema = load_schema()
    words = own_words()["codes"].get(schema.variable(variable).codes, {})
    said = [(code, code) for code in schema.domain(variable)]
    for code in schema.domain(variable):
        labels = [code_label(variable, code, lang) for lang in LANGUAGES]
        said += [(text, code) for text in (*labels, *flat(words.get(code, ()))) if _long(text)]
    return _sure(said)


def flag_texts(flags: Iterable[str]) -> dict[str, str]:
    """Folded texts for some flags; one that stands for two of them is left out.

    >>> texts = flag_texts(["exploitation_sexual", "exploitation_other"])
    >>> texts["exploitation_sexual"], texts["sexual exploitation"], texts["autre"]
    ('exploitation_sexual', 'exploitation_sexual', 'exploitation_other')
    """
    own = own_words()
    said: list[tuple[str, str]] = []
    for flag in flags:
        words = [*flat(own["flags"].get(flag, ())), *(label(flag, lang) for lang in LANGUAGES)]
        if flag.endswith("_other"):
            words += own["other"]
        said += [(flag, flag), *((text, flag) for text in words if _long(text))]
    return _sure(said)


@cache
def null_texts() -> tuple[str, ...]:
    """Folded texts that mean "not recorded" and nothing else."""
    return tuple(dict.fromkeys(fold(text) for text in flat(own_words()["empty"]) if _long(text)))


def _long(text: str) -> bool:
    return sum(character.isalpha() for character in text) >= SHORTEST


def _sure(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    meant = defaultdict[str, set[str]](set)
    for text, code in said:
        meant[fold(text)].add(code)
    return {text: codes.pop() for text, codes in meant.items() if len(codes) == 1}


ADULT = 18
"""Age in years at which childhood ends (Convention on the Rights of the Child, article 1)."""

OLDEST = 120
"""Ages above are no ages."""


@cache
def names() -> dict[str, tuple[str, str]]:
    """Names of the built-in mappings, each with its crosswalk and variant."""
    formats: dict[str, tuple[str, str]] = {}
    for name in crosswalk.NAMES:
        walk = load_crosswalk(name)
        if walk.kind == "file":
            formats |= {variant: (name, variant) for variant in walk.variants or (name,)}
    return formats


@cache
def builtin(name: str) -> Mapping:
    """The mapping that reads a known format.

    ``htcds-2`` reads the Excel templates, which have labels in the second row; ``htcds-2-export``
    reads exports with one header row (Salesforce, ODK, Kobo).  ``ctdhub-form`` reads exports of the
    form that ``ctdhub form`` writes.

    Raises:
        MappingError: no built-in mapping of that name.

    >>> builtin("ctdc-2024").columns["gender"][0].map["Woman"]
    'female'
    """
    if name == FORM_NAME:
        return form_mapping()
    if name not in names():
        known = ", ".join([*names(), FORM_NAME])
        raise error("builtin-name", name=name, names=known)
    walk_name, variant = names()[name]
    return _of_crosswalk(load_crosswalk(walk_name), name, variant)


def recognise(headers: Iterable[str]) -> str | None:
    """The built-in mapping for a file with these column names, None where none fits.

    Of the names that the file and a format have together, at least half must be shared; the format
    that shares most wins.

    >>> recognise(["yearRegister", "gender", "IP_Gender"]) is None
    True
    """
    columns = {fold(h) for h in headers if h.strip()}
    if fits_form(columns):
        return FORM_NAME
    shares: dict[str, float] = {}
    for name in {walk: None for walk, _variant in names().values()}:
        walk = load_crosswalk(name)
        core = [c for c in _distinct(walk) if not c.optional]
        hit = [c for c in core if columns & _spelt(c)]
        known = set().union(*(_spelt(c) for c in walk.columns), map(fold, walk.strip))
        if walk.first_column:
            known.add(fold(walk.first_column))
        shares[name] = len(hit) / (len(core) + len(columns - known))
    best = max(shares, key=lambda n: shares[n])
    if shares[best] < ENOUGH:
        return None
    return _variant(load_crosswalk(best), columns)


def _variant(walk: Crosswalk, columns: set[str]) -> str:
    """Templates have every written column's own name; of exports at least one differs."""
    options = list(walk.variants or (walk.name,))
    own = {fold(c.name) for c in walk.columns if c.also}
    return options[0] if own <= columns else options[-1]


def _distinct(walk: Crosswalk) -> list[CrosswalkColumn]:
    return list({c.name: c for c in walk.columns}.values())


def _spelt(column: CrosswalkColumn) -> set[str]:
    return {fold(n) for n in (column.name, *column.also)}


def _of_crosswalk(walk: Crosswalk, name: str, variant: str) -> Mapping:
    taken = frozenset({"", *map(fold, walk.empty)})
    rules = [(c.is_child, *one) for c in walk.columns for one in _builtin_rules(c, taken)]
    read = {}
    if walk.variants:
        read = {"read": walk.variants[variant].model_dump(exclude_defaults=True)}
    return _made(
        rules,
        {"split": ";"},
        name=name,
        empty=["", *walk.empty],
        optional=list(_optional(walk)),
        identifiers=_identifiers(walk),
        exclude=list(walk.exclude),
        **read,
    )


def _optional(walk: Crosswalk) -> Iterator[str]:
    """Columns under several names (a file has one of them) and those beyond the core."""
    for column in walk.columns:
        if column.also or column.optional:
            yield from (column.name, *column.also)


def _identifiers(walk: Crosswalk) -> dict[str, Any]:
    decided: dict[str, Any] = dict.fromkeys(walk.strip, "strip")
    for column in walk.columns:
        if column.identifier:
            keep = {"keep": crosswalk.sentence(column.lossy_read or "place_text")}
            decision = keep if column.identifier == "keep" else column.identifier
            decided |= dict.fromkeys((column.name, *column.also), decision)
    return decided


def _builtin_rules(
    c: CrosswalkColumn, taken: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rules that a column gives, each with the hub variable it fills.

    Args:
        taken: folded texts that mean "not recorded" in every column.
    """
    source = list({fold(n): n for n in (c.name, *c.also)}.values())
    lossy = {"lossy": crosswalk.sentence(c.lossy_read)} if c.lossy_read else {}
    match c.form:
        case "year" if c.bands:
            single = {t: str(first) for t, (first, last) in c.bands.items() if first == last}
            wide = [s for t in c.bands if t not in single for s in spellings(t)]
            lossy = {"lossy": crosswalk.sentence("year_band")}
            yield _to(c), {"from": source, "map": single, "null_values": wide, **lossy}
        case "year":
            yield _to(c), {"from": source, "year": True, **lossy}
        case "code" | "country":
            yield _to(c), {"from": source, **_texts(c, taken), **lossy}
        case "flag" | "mark" | "any":
            if c.to:
                codes = {"1": "yes", "0": "no", "1.0": "yes", "0.0": "no"}
                codes |= {"true": "yes", "false": "no", "yes": "yes", "no": "no"}
                yield c.to, {"from": source, "map": codes, **lossy}
        case "list":
            yield from _list(c, source, taken)
        case "birth_date":
            lossy = {"lossy": crosswalk.sentence("age_banded")}
            yield _to(c), {"from": source, "band": True, "at": c.at, **lossy}
        case "majority":
            bands = load_schema().domain(c.from_hub or "")
            codes = {b: _majority(int(re.split(r"\D", b)[0])) for b in bands}
            yield _to(c), {"from_hub": c.from_hub, "map": codes}
        case "age":
            codes = {str(n): _majority(n) for n in range(OLDEST + 1)}
            lossy = {"lossy": crosswalk.sentence("age_to_majority")}
            yield _to(c), {"from": source, "map": codes, **lossy}


def _to(column: CrosswalkColumn) -> str:
    assert column.to is not None
    return column.to


def _majority(age: int) -> str:
    return "adult" if age >= ADULT else "minor"


def _texts(c: CrosswalkColumn, taken: frozenset[str]) -> dict[str, Any]:
    texts: dict[str, str | None] = {}
    nulls: list[str] = []
    losses: list[str] = []
    for v in c.values:
        if v.way == "write":
            continue
        spelt = [s for text in (v.text, *v.also) for s in spellings(text)]
        if v.to is None:
            nulls += spelt
        else:
            texts |= dict.fromkeys(spelt, v.to)
        if v.lossy_read:
            losses.append(crosswalk.sentence(v.lossy_read))
    taken |= {fold(text) for text in (*texts, *nulls)}
    if c.form == "code":
        more = {t: code for t, code in code_texts(_to(c)).items() if t not in taken}
        texts |= {s: code for t, code in more.items() for s in spellings(t)}
        taken |= set(map(fold, texts))
    nulls += [text for text in null_texts() if text not in taken]
    made: dict[str, Any] = {"unknown": c.unknown, "null_values": nulls}
    if texts:
        made["map"] = texts
    if c.form == "country":
        made["country"] = True
    if c.separators:
        made |= {"split": c.separators[0], "take": "first"}
    if losses:
        made["lossy"] = " ".join(dict.fromkeys(losses))
    return made


def _list(
    c: CrosswalkColumn, source: list[str], taken: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """One rule per flag and separator: labels hold blanks, so blanks separate names only."""
    flags = dict.fromkeys([*(v.to for v in c.values if v.to), *c.unwritten])
    taken |= {fold(text) for v in c.values for text in (v.text, *v.also)}
    more = {t: flag for t, flag in flag_texts(flags).items() if t not in taken}
    for flag in flags:
        values = [v for v in c.values if v.to == flag and v.way != "write"]
        losses = dict.fromkeys(crosswalk.sentence(v.lossy_read) for v in values if v.lossy_read)
        for separator in c.separators:
            texts = [t for v in values for t in (v.text, *v.also)]
            own = [text for text, to in more.items() if to == flag]
            if not separator.strip():
                texts = [v.text for v in values]
                own = [flag]
            rule: dict[str, Any] = {"from": source, "split": separator, "has": [*texts, *own]}
            yield flag, rule | ({"lossy": " ".join(losses)} if losses else {})


_RANGE = re.compile(r"^0?(\d+)--?(\d+)(.*)$")


def spellings(text: str) -> tuple[str, ...]:
    """A text as files spell it: bands with one or two hyphens or a dash, and a leading zero.

    >>> spellings("9--17")[:4], spellings("Male")
    (('9--17', '9-17', '9–17', '9—17'), ('Male',))
    """
    if not (match := _RANGE.match(text)):
        return (text,)
    first, last, rest = match.groups()
    return tuple(
        f"{zero}{first}{dash}{last}{rest}"
        for zero in (("", "0") if len(first) == 1 else ("",))
        for dash in ("--", "-", "–", "—")
    )
