"""What the two people who approve are shown of a release and its readers are not.

It is written when the candidate is made, below ``reviews/``, and stays in the hub.  A statement of
approval names its hash, so that nobody can say later that he was shown something else.  The hash
is published with the release; since the file begins with 32 random bytes that stay in the hub, no
reader can find out by it what the file says, however few its possible contents are.
"""

import hashlib
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.files import rewrite
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import LANGUAGES, LocalName, Several, Text
from ctdhub.hub.contributions import REPORT, mapping_file, report_of
from ctdhub.hub.deliveries import accounted, out_of_force, sent
from ctdhub.hub.folder import Hub, policy
from ctdhub.hub.stages.alarms import alarms_of
from ctdhub.hub.stages.harmonise import harmonise_file
from ctdhub.hub.steps import hash_of
from ctdhub.release.approvals import Approvals
from ctdhub.release.bundle import latest_release
from ctdhub.release.changes import CHANGELOG, newest_changes, newest_note
from ctdhub.schema.labels import label
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping

# --------------------------------------------------------------------------------------------------
# What became of the rows of each contributed file, as the last build left it.


def reports(hub: Hub) -> list[dict[str, Any]]:
    """The harmonisation report of every contributed file that has been built.

    Records that count no more are counted as excluded by the rules ``replaced`` (by a newer
    delivery), ``left`` (a newer cumulative delivery lacks the person) and ``withdrawn``.
    """
    rules = policy(hub)
    steps = [harmonise_file(hub, c, rules.years) for c in hub.contributions()]
    built = [step for step in steps if (step.output / REPORT).is_file()]
    out = out_of_force(hub, sent(hub, built))
    accounts = []
    for step in built:
        report = report_of(step)
        report["conservation"] = accounted(report["conservation"], step, out)
        accounts.append(report)
    return accounts


REVIEWS = "reviews"
Rules = dict[str, dict[str, str]]
"""Contributor to variable to a hash of the rules that fill it; see :func:`rules_of`."""

LEFT_OUT = "exclude"
"""Stands for the rules that say which rows are no records."""


class FileAccount(FrozenModel):
    """What became of the rows of one file."""

    contributor: str
    date: str
    rows: int = Field(ge=0)
    records: int = Field(ge=0)
    rejected: int = Field(ge=0)
    excluded: dict[str, Annotated[int, Field(ge=0)]] = Field(default={})


class RungAlarm(FrozenModel):
    """An alarm of the build: its entry under ``accept``, what it counted, who accepted it how."""

    contributor: str
    date: str
    entry: str
    n: int
    of: int
    accepted: bool
    reason: str = ""


class Review(FrozenModel):
    """The file ``reviews/<version>.json``.  Sensitive.

    Attributes:
        secret: 64 hexadecimal digits of the system's generator.
        version: of the candidate.
        files: one entry a file that was read.
        alarms: what rang in the build, accepted in a mapping or, where not, by whoever spent the
            charge (``ctdhub journal`` says who).
        rules: what the mappings said, so that the next review can tell what changed.
        rewritten: variables that other rules read than in the last release, by contributor.
    """

    secret: str = Field(pattern=r"^[0-9a-f]{64}$")
    version: str
    files: tuple[FileAccount, ...]
    alarms: tuple[RungAlarm, ...] = ()
    rules: Rules
    rewritten: dict[str, tuple[str, ...]] = Field(default={})

    @property
    def rewritten_rules(self) -> tuple[Text, ...]:
        """What mappings read by other rules now, a sentence for each contributor."""
        return tuple(
            Text(
                "{name}: the rules that read its files were rewritten for: {variables}",
                name=name,
                variables=Several(tuple(map(_variable, each))),
            )
            for name, each in self.rewritten.items()
        )

    @property
    def rejected(self) -> dict[str, tuple[int, int]]:
        """Rows rejected and rows read, by contributor."""
        counts: dict[str, tuple[int, int]] = {}
        for file in self.files:
            rejected, rows = counts.get(file.contributor, (0, 0))
            counts[file.contributor] = (rejected + file.rejected, rows + file.rows)
        return counts


def file_of(hub: Hub, version: str) -> Path:
    """Where the review of a version lies."""
    return hub.root / REVIEWS / f"{version}.json"


def write_review(hub: Hub, version: str) -> None:
    """Write what the last build saw beside a version; an older review of it is replaced."""
    seen = [_delivered(report) for report in reports(hub)]
    rules, last = rules_of(hub), latest_release(hub.releases)
    before = read_review(hub, last.name) if last else None
    review = Review(
        secret=secrets.token_hex(32),
        version=version,
        files=tuple(seen),
        alarms=tuple(
            RungAlarm(date=alarm.delivery, **{name: getattr(alarm, name) for name in _RUNG})
            for alarm in alarms_of(hub)
        ),
        rules=rules,
        rewritten=rewritten(before[0].rules, rules) if before else {},
    )
    path = file_of(hub, version)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    rewrite(path, review.file_content())


def read_review(hub: Hub, version: str) -> tuple[Review, str] | None:
    """The review of a version and its SHA-256, None where older software made the candidate.

    Raises:
        ReleaseError: the file was changed by hand, or is of another version.
    """
    path = file_of(hub, version)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    with suppress(ValidationError):
        review = Review.model_validate_json(content)
        if review.version == version:
            return review, hashlib.sha256(content).hexdigest()
    raise error("review", file=path, version=version)


def hash_of_review(hub: Hub, candidate: Path) -> str | None:
    """What a statement about a candidate names; None without a review.

    Raises:
        ReleaseError: see :func:`read_review`; or whoever signed first was shown another.
    """
    review = read_review(hub, candidate.name)
    seen = review[1] if review else None
    if any(a.statement.review != seen for a in Approvals.read(candidate).approvals):
        raise error("review", file=file_of(hub, candidate.name), version=candidate.name)
    return seen


def hash_of_changes(hub: Hub, candidate: Path) -> str:
    """SHA-256 of what approvers are shown of a candidate's making: note, changelog, rules, alarms.

    The secret of the review is hashed with it, so that no reader of a statement can find out by
    trying which alarms rang.

    Raises:
        ReleaseError: see :func:`read_review`.
    """
    text = (candidate / CHANGELOG).read_text("utf-8")
    review = read_review(hub, candidate.name)
    content = {
        "note": newest_note(text),
        "changes": {code: newest_changes(text, code) for code in LANGUAGES},
        "rules": review[0].rewritten if review else {},
        "alarms": [alarm.model_dump(mode="json") for alarm in review[0].alarms] if review else [],
        "secret": review[0].secret if review else "",
    }
    return hash_of(content)


def rules_of(hub: Hub) -> Rules:
    """Hashes of the rules of each contributor that takes part, by variable."""
    days: dict[str, set[str]] = {}
    for one in hub.contributions():
        days.setdefault(one.contributor, set()).add(one.date)
    hashes: Rules = {}
    for contributor in sorted(days):
        each = dict.fromkeys(mapping_file(hub, contributor, d) for d in sorted(days[contributor]))
        written: dict[str, list[Any]] = {}
        for mapping in map(load_mapping, each):
            for name, rules in _written(mapping).items():
                written.setdefault(name, []).append(rules)
        several = len(each) > 1
        hashes[contributor] = {
            name: hash_of(rules if several else rules[0]) for name, rules in sorted(written.items())
        }
    return hashes


def _written(mapping: Mapping) -> dict[str, list[Any]]:
    """The rules of a mapping by variable, as they are written."""
    every = [item for *_at, columns in mapping.tables() for item in columns.items()]
    rules = {name: [r.model_dump(mode="json") for r in each] for name, each in every}
    return rules | {LEFT_OUT: [e.model_dump(mode="json") for e in mapping.exclude]}


def rewritten(before: Rules, now: Rules) -> dict[str, tuple[str, ...]]:
    """By contributor of both, what other rules read now.

    >>> rewritten({"a": {"sex": "1", "age": "2"}, "b": {}}, {"a": {"sex": "1", "year": "3"}})
    {'a': ('age', 'year')}
    """
    changes = {}
    for contributor in sorted(before.keys() & now.keys()):
        was, is_ = before[contributor], now[contributor]
        if names := sorted(n for n in was.keys() | is_.keys() if was.get(n) != is_.get(n)):
            changes[contributor] = tuple(names)
    return changes


def _variable(name: str) -> Text | LocalName:
    if name == LEFT_OUT:
        return Text("which rows are left out")
    return LocalName.of(lambda code: label(name, code))


_RUNG = ("contributor", "entry", "n", "of", "accepted", "reason")


def _delivered(report: dict[str, Any]) -> FileAccount:
    account, who = report["conservation"], {name: report[name] for name in ("contributor", "date")}
    counts = {name: n for name, n in account.items() if name != "rows_read"}
    return FileAccount(rows=account["rows_read"], **counts, **who)
