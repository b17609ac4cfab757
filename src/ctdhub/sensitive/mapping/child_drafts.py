"""What a draft says of child rows: those of perpetrators, and those that may speak for a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from ctdhub.core.i18n import Text
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE
from ctdhub.sensitive.ingest.identifiers import IdentifierFinding
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.shape.systems import known_identifiers, system_of
from ctdhub.sensitive.mapping.form_proposals import FormProposals
from ctdhub.sensitive.mapping.glance import Glance, glance
from ctdhub.sensitive.mapping.proposal import Doubt, Proposal
from ctdhub.sensitive.mapping.proposals import proposals
from ctdhub.sensitive.mapping.vocabulary import vocabulary


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
        yield from proposals(column)
        return
    own = replace(column, name=vocabulary().without_perpetrators(column.name))
    if any(isinstance(each, Proposal) for each in proposals(own)):
        yield Doubt(
            column.name,
            Text(
                "a record has several rows of {child}: say by fold under read, or by split and "
                "take, which of them counts",
                child=several[0],
            ),
        )


def child_rules(
    raw: RawTable, findings: dict[str, IdentifierFinding], form: FormProposals | None = None
) -> ChildRules | None:
    """Rules for the first child table that speaks of perpetrators, None where there is none.

    Args:
        raw: the file as read.
        findings: columns that may identify somebody, of which no rule is made.
        form: the form that the file is an export of.
    """
    variables = load_schema().table("perpetrators")
    for child, rows in raw.children.items():
        found: dict[str, Proposal] = {}
        columns = [c for c in rows.column_names if c != "_row" and c not in findings]
        for column in columns if vocabulary().about_perpetrators(child) else ():
            seen = glance(rows, column)
            told = form.of_child(seen, child) if form else None
            if told is None:
                named = replace(seen, name=vocabulary().without_perpetrators(column))
                told = list(proposals(named))
            for each in told:
                if not isinstance(each, Proposal) or not _fits(each):
                    continue
                for variable in variables:
                    if variable.name.endswith(f"_{each.target}"):
                        found.setdefault(variable.name, replace(each, column=column))
        if found:
            return ChildRules(child, found)
    return None


def _fits(proposal: Proposal) -> bool:
    """Bands of the ages of perpetrators are others, so only ages themselves are read."""
    return proposal.target != AGE or proposal.rule == {"band": True}


def identifiers_of_systems(raw: RawTable) -> tuple[dict[str, IdentifierFinding], dict[str, str]]:
    """Columns that exports of a known system have for numbers and users, and what becomes of each.

    Returns:
        Findings, and decisions in the words of a mapping.
    """
    columns = raw.column_names()
    known = known_identifiers(columns, raw.children)
    system = system_of(columns)
    reason = Text(
        "exports of {system} hold a number or a user here", system=system.name if system else ""
    )
    findings = {
        column: IdentifierFinding(
            column, "name" if decision == "strip" else "case_number", 1.0, reason
        )
        for column, decision in known.items()
    }
    return findings, dict(known)


def decided_with(known: dict[str, str], decisions: dict[str, str]) -> dict[str, str]:
    """Decisions in which what is known of a system goes before what was found by looks.

    One column at most becomes the person key, and one the number of a case.

    >>> decided_with({"_id": "case"}, {"_id": "hash", "uuid": "case", "name": "strip"})
    {'_id': 'case', 'uuid': 'strip', 'name': 'strip'}
    """
    own = [column for column, decision in known.items() if decision in ("hash", "case")]
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
