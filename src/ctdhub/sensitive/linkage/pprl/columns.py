"""What happens to each column before a file leaves the contributor."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text
from ctdhub.core.tables import ROW, fold
from ctdhub.sensitive.ingest.identifiers import ROLE_WORDS, kind_of, words
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.mapping.identifiers import TOKEN_COLUMN, TOKENS_COLUMN
from ctdhub.sensitive.mapping.mapping import Mapping as Reading
from ctdhub.sensitive.mapping.parsers import Header

Role = Literal["given", "family", "name", "birth", "place", "sex", "case"]
ROLES: tuple[Role, ...] = ("given", "family", "name", "birth", "place", "sex", "case")
"""What a column says of a person.  ``name`` is a whole name in one column, ``case`` the number of
a case."""

Fate = Literal["token", "strip", "code", "stay"]
"""token: becomes tokens and is stripped.  strip: is stripped.  code: a number of a case becomes a
keyed code.  stay: leaves as it is."""


@dataclass(frozen=True)
class IdentifierColumn:
    """One column: its name, what becomes of it, and why in a translated sentence."""

    name: str
    fate: Fate
    reason: Text
    role: Role | None = None


@dataclass(frozen=True)
class TokenPlan:
    """What happens to every column of a file, in the order of the file."""

    columns: tuple[IdentifierColumn, ...]

    def of(self, role: Role) -> str | None:
        """The column of a role, None without one."""
        return next((c.name for c in self.columns if c.role == role), None)

    def fated(self, fate: Fate) -> tuple[str, ...]:
        """Columns of one fate."""
        return tuple(c.name for c in self.columns if c.fate == fate)


def propose(raw: RawTable) -> dict[Role, str]:
    """Roles that column names speak of; at most one column each, the first in the file."""
    roles: dict[Role, str] = {}
    for column in raw.table.column_names:
        if column != ROW and (role := _role(column)) is not None:
            roles.setdefault(role, column)
    if "given" in roles and "family" in roles:
        roles.pop("name", None)
    elif "name" in roles:
        roles.pop("given", None)
        roles.pop("family", None)
    return roles


def _role(column: str) -> Role | None:
    said = set(words(column))
    if said & ROLE_WORDS["birth"]:
        return "place" if said & ROLE_WORDS["where"] else "birth"
    kind = kind_of(column)
    if kind in ("telephone", "email", "document_number", "case_number"):
        return "case" if kind == "case_number" else None
    others: tuple[Role, ...] = ("sex", "place")
    for role in others:
        if said & ROLE_WORDS[role]:
            return role
    named = kind == "name" or not said & {"name", "names", "date", "year"}
    roles: tuple[Role, ...] = ("given", "family", "name")
    return next((role for role in roles if named and said & ROLE_WORDS[role]), None)


def plan(
    raw: RawTable,
    roles: Mapping[Role, str],
    keep: Collection[str] = (),
    strip: Collection[str] = (),
    mapping: Reading | None = None,
) -> TokenPlan:
    """Decide every column: what nobody asked for is stripped, whatever its cells hold.

    Args:
        roles: columns that tokens are made of; they are stripped.  ``sex`` makes no token and is
            decided as any other column; ``case`` becomes a keyed code.
        keep: columns that stay.
        strip: columns that go although the mapping reads them.
        mapping: what it reads stays, and what it makes keys of becomes keyed codes.

    Raises:
        FileError: a named column is not there, has two fates, or takes the name of a new column;
            or the roles are too few to make any token.
    """
    header = Header(raw.table.column_names)
    named = [*roles.values(), *keep, *strip]
    places = {name: header.find(name) for name in named}
    if missing := [name for name, place in places.items() if place in (None, ROW)]:
        raise error("columns/absent", file=raw.file, column=", ".join(missing))
    said = [*keep, *strip]
    single = [*(n for role, n in roles.items() if role != "sex" or n not in said), *said]
    if twice := sorted({name for name in single if single.count(name) > 1}):
        raise error("columns/two-purposes", file=raw.file, column=", ".join(twice))
    if taken := [name for name in (TOKEN_COLUMN, TOKENS_COLUMN) if header.find(name) is not None]:
        raise error("columns/taken", file=raw.file, column=", ".join(taken))
    if not {"given", "family", "name"} & set(roles):
        raise error("roles/none", file=raw.file)
    by_role = {places[name]: role for role, name in roles.items()}
    kept, stripped = {places[n] for n in keep}, {places[n] for n in strip}
    read, keyed = _read_and_keyed(mapping) if mapping else (frozenset(), frozenset())

    def decided(name: str) -> tuple[Fate, Text]:
        role = by_role.get(name)
        if role == "case":
            return "code", Text("Used by the hub to distinguish people.")
        if role and role != "sex":
            return "token", Text("Tokens are made of it.")
        if name in stripped:
            return "strip", Text("You named it under --strip.")
        if name in kept:
            return "stay", Text("You named it under --keep. It may help to identify somebody.")
        if fold(name) in read:
            return "stay", Text("The mapping reads it. It may help to identify somebody.")
        if fold(name) in keyed:
            return "code", Text("Used by the hub to distinguish people.")
        return "strip", Text("Nobody asked for it.")

    columns = [name for name in raw.table.column_names if name != ROW]
    return TokenPlan(
        tuple(IdentifierColumn(name, *decided(name), by_role.get(name)) for name in columns)
    )


def _read_and_keyed(mapping: Reading) -> tuple[frozenset[str], frozenset[str]]:
    """Folded names of the columns that a mapping reads, and of those that become keys only."""
    key = mapping.key_columns()
    tokens = {*mapping.tokens, *(key[0] if key and key[1] == "token" else ())}
    read = frozenset(fold(c) for _place, rule in mapping.uses() for c in rule.columns())
    read |= {fold(column) for column in tokens}
    return read, frozenset(map(fold, mapping.names_people())) - read
