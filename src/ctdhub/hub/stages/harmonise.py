"""One contributed file becomes records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ctdhub.core.errors import MappingError, error
from ctdhub.core.files import write_new
from ctdhub.core.i18n import Text, said
from ctdhub.core.tables import as_json
from ctdhub.hub import contributions as work
from ctdhub.hub.steps import Step, hash_file, hash_of, software
from ctdhub.schema.model import ALLEGATION, AUTHORITIES, OF_ANYONE
from ctdhub.sensitive import coded_parquet
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.deliveries import patched
from ctdhub.sensitive.mapping.identifiers import keyings
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.run import Lineage, harmonise

if TYPE_CHECKING:
    from ctdhub.hub.folder import Agreement, Hub


@dataclass(frozen=True)
class HarmoniseFile:
    """How one contributed file becomes records; a worker elsewhere can be given it.

    It says where the mapping and the person key lie and holds neither.  ``kind`` is what kind of
    contributor its agreement says it is.  ``before`` are the files of its earlier deliveries, with
    whether they are corrections, where this one is.
    """

    entry: work.Contribution
    mapping: Path
    years: tuple[int, int]
    key: Path
    kind: str
    before: tuple[tuple[bool, tuple[Path, ...]], ...] = ()

    def __call__(self, folder: Path) -> None:
        """Write records, perpetrators, rejects, lineage, conservation and texts into the folder.

        Raises:
            MappingError: a contributor that is no authority says more of somebody than alleged.
        """
        mapping, contributor = load_mapping(self.mapping), self.entry.contributor
        raw, key = read_given(self.entry.file, mapping, self.before), self.key.read_bytes()
        result = harmonise(raw, mapping, contributor=contributor, years=self.years, key=key)
        _check_allegations(result.perpetrators, self.kind, self.mapping)
        coded_parquet.write(result.coded, folder / work.RECORDS)
        pq.write_table(result.perpetrators, folder / work.PERPETRATORS)
        pq.write_table(result.tokens, folder / work.TOKENS)
        pq.write_table(result.cases, folder / work.CASES)
        pq.write_table(result.no_record, folder / work.NO_RECORD)
        pq.write_table(result.births, folder / work.BIRTHS)
        pa_csv.write_csv(result.rejects, folder / work.REJECTS)
        write_new(folder / work.TEXTS, as_json(result.texts.as_json()).encode())
        write_new(folder / work.UNKNOWN_TEXTS, result.texts.as_csv().encode())
        report = {
            "contributor": contributor,
            "date": self.entry.date,
            "conservation": asdict(result.conservation),
            "notes": [said(note) for note in raw.notes],
            "lineage": [_lineage_line(line) for line in result.lineage],
        }
        (folder / work.REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")


def read_given(
    file: Path, mapping: Mapping, before: Sequence[tuple[bool, Sequence[Path]]]
) -> RawTable:
    """A file as it was sent, or filled from earlier deliveries where it holds corrections."""
    raw, (keying, _case) = read_isolated(file, mapping.read), keyings(mapping, "", b"")
    if not before or keying is None:
        return raw
    earlier = [(how, [read_isolated(f, mapping.read) for f in files]) for how, files in before]
    return patched(raw, earlier, keying.keys)


def corrected(
    hub: Hub, agreement: Agreement | None, day: str
) -> tuple[tuple[bool, tuple[Path, ...]], ...]:
    """The files of the deliveries before a day, where that of the day holds corrections."""
    if agreement is None or not agreement.patches_on(day):
        return ()
    own = [one for one in hub.contributions() if one.contributor == agreement.id]
    days = sorted({one.date for one in own if one.date < day})
    return tuple(
        (agreement.patches_on(d), tuple(one.file for one in own if one.date == d)) for d in days
    )


def _check_allegations(perpetrators: pa.Table, kind: str, mapping: Path) -> None:
    """Nobody is called more than alleged but by a public authority (decision 47)."""
    if kind in AUTHORITIES:
        return
    stated = perpetrators[ALLEGATION].drop_null().unique()
    if set(stated.to_pylist()) - set(OF_ANYONE):
        raise error("allegation", file=mapping, column=ALLEGATION)


def _lineage_line(line: Lineage) -> dict[str, Any]:
    """An entry of the lineage in the language of the build."""
    note = said(line.note) if line.note else None
    return asdict(line) | {"rule": said(line.rule), "note": note}


def harmonise_file(hub: Hub, entry: work.Contribution, years: tuple[int, int]) -> Step:
    """One contributed file -> records, perpetrators, rejects, lineage and conservation."""
    rules_file = work.mapping_file(hub, entry.contributor, entry.date)
    digest = hash_file(entry.file)
    agreement = next((a for a in hub.agreements() if a.id == entry.contributor), None)
    kind = agreement.kind if agreement else ""
    before = corrected(hub, agreement, entry.date)
    earlier = [[how, sorted(map(hash_file, files))] for how, files in before]
    return Step(
        name=f"harmonise {entry.contributor} {entry.date} {digest[:8]}",
        inputs={
            Text("file"): digest,
            Text("mapping"): hash_file(rules_file),
            Text("years"): hash_of(list(years)),
            Text("kind of contributor"): kind,
            Text("person key"): hash_of(hub.person_key().hex()),
            **({Text("earlier deliveries"): hash_of(earlier)} if earlier else {}),
        },
        output=hub.work / "harmonised" / entry.contributor / entry.date / digest[:16],
        run=HarmoniseFile(entry, rules_file, years, hub.key_file, kind, before),
        software=software(__name__),
        meaning=_meaning(rules_file),
    )


def _meaning(rules_file: Path) -> dict[str, str]:
    """What the mapping says of records, whatever its comments and layout; {} where it is faulty.

    What it accepts changes no record.
    """
    try:
        return {
            "mapping": hash_of(load_mapping(rules_file).model_dump(mode="json", exclude={"accept"}))
        }
    except MappingError:
        return {}
