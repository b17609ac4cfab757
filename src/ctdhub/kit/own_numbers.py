"""The contributor's own numbers, of its own rows alone: exact, for nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ctdhub.core.i18n import current
from ctdhub.kit.state import Kit, KitFile
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, ORIGIN, PERIOD, SEX
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.profile import NOT_RECORDED, Profile, profile

TOP = 10
"""Values that are listed of a long list, those with most people."""


@dataclass(frozen=True)
class OwnTable:
    """People by value of one variable, or by variable of a group.

    Attributes:
        title: of the variable or group.
        rows: a value and how many people have it.
        recorded, missing: people whose answer is recorded, and others.
    """

    title: str
    rows: tuple[tuple[str, int], ...]
    recorded: int
    missing: int


@dataclass(frozen=True)
class OwnNumbers:
    """Counts of one file.

    Attributes:
        profile: rows, records, people, what was refused and left out.
        tables: in the order of the page.
    """

    profile: Profile
    tables: tuple[OwnTable, ...]


def own_numbers(kit: Kit, file: KitFile, text: str) -> OwnNumbers:
    """The numbers of a file in the language in force.

    Args:
        text: the mapping as it is now.

    Raises:
        HubError: the file cannot be read by it.
    """
    mapping, schema = parse_mapping(text, "mapping.yaml"), load_schema()
    raw = read_isolated(kit.path(file), mapping.read)
    card = kit.card()
    who = card.card.contributor if card else "contributor"
    done = harmonise(raw, mapping, who, kit.years(), kit.secret())
    account = done.conservation
    own = profile(done.records, done.rejects, account.rows_read, account.excluded, schema)
    tables = [_values(own, variable) for variable in (SEX, AGE, PERIOD)]
    tables.append(_group(own, "exploitation"))
    tables.append(_values(own, ORIGIN, TOP))
    return OwnNumbers(own, tuple(tables))


def _values(own: Profile, variable: str, most: int | None = None) -> OwnTable:
    found: Mapping[str, int] = own.values[variable]
    coded = [(code, n) for code, n in found.items() if code != NOT_RECORDED]
    if most is None:
        order = {code: at for at, code in enumerate(load_schema().domain(variable))}
        coded.sort(key=lambda pair: order.get(pair[0], len(order)))
    else:
        coded = sorted(coded, key=lambda pair: -pair[1])[:most]
    rows = tuple((code_label(variable, code, current()), n) for code, n in coded)
    known = own.recorded(variable)
    return OwnTable(label(variable, current()), rows, known, own.people - known)


def _group(own: Profile, group: str) -> OwnTable:
    """Of a group of yes/no variables, people with any of it recorded are the base."""
    schema = load_schema()
    known = own.values[schema.groups[group].indicator or ""].get("yes", 0)
    rows = [(label(f, current()), own.values[f].get("yes", 0)) for f in schema.flags(group)]
    shown = tuple((name, n) for name, n in rows if n)
    return OwnTable(group_label(group, current()), shown, known, own.people - known)
