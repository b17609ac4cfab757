"""Verbs of keys, tokens and links: key; tokens and bundle, for contributors; link, linkage."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from ctdhub.cli import options
from ctdhub.cli.approve import open_key
from ctdhub.cli.output import bar, console, say, show_exactly, show_section, show_table
from ctdhub.core.errors import FileError, error, printable
from ctdhub.core.files import is_day, write_new
from ctdhub.core.format import interval, listed, number, share
from ctdhub.core.i18n import _, current, said
from ctdhub.core.keys import age, secret_files
from ctdhub.core.keys import envelope as envelopes
from ctdhub.core.keys import linkage as linkage_keys
from ctdhub.core.keys.linkage import filling_secret
from ctdhub.core.keys.signing import is_encrypted, make_key, read_key
from ctdhub.release.manifest import VERSION_PATTERN
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.bundle.pack import card_bytes, pack_bundle, read_card, write_bundle
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.linkage.people import in_words
from ctdhub.sensitive.linkage.pprl.columns import ROLES, plan, propose
from ctdhub.sensitive.linkage.pprl.derive import AGE, AgeAt, Tokeniser, check_ages, kind_words
from ctdhub.sensitive.linkage.pprl.tokenise import check_new, tokenise
from ctdhub.sensitive.linkage.settings import LinkageSettings
from ctdhub.sensitive.mapping.identifiers import TOKEN_COLUMN, TOKENS_COLUMN
from ctdhub.sensitive.mapping.mapping_file import named_mapping

if TYPE_CHECKING:
    from ctdhub.hub.folder import Hub
    from ctdhub.hub.steps import Progress as Report
    from ctdhub.sensitive.linkage.identified.link_files import LinkFile
    from ctdhub.sensitive.linkage.pprl.columns import Role, TokenPlan
    from ctdhub.sensitive.linkage.pprl.derive import Lack
    from ctdhub.sensitive.linkage.pprl.tokenise import Made


# --------------------------------------------------------------------------------------------------
# The verb group ``key``: keys to approve with, and the key that contributors link with.


For = Literal["approval", "linkage", "receiving", "people", "inbox"]
"""What a key is for."""


def key_new(
    out: options.NeededPath,
    purpose: Annotated[For, typer.Option("--for")] = "approval",
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key new``."""
    if passphrase:  # the worker starts with nobody there to type one
        options.refuse_beside("--passphrase", {"--for inbox": purpose == "inbox"}, "key new")
    if purpose == "linkage":
        _write_linkage(out, linkage_keys.new_key(), passphrase)
        return
    secret = _new_passphrase(passphrase)
    if purpose == "people":
        secret_files.write_new(out, secrets.token_bytes(32))
    elif purpose == "receiving":
        show_exactly(envelopes.make_pair(out, secret))
    elif purpose == "inbox":
        show_exactly(age.make_identity(out))
    else:
        show_exactly(make_key(out, secret).public)


def key_show(file: Path) -> None:
    """The verb ``ctdhub key show``."""
    if linkage_keys.is_linkage_key(file):
        _show_linkage(open_linkage_key(file))
        return
    if envelopes.is_envelope(file):
        raise error("key-unreadable/envelope", file=file)
    secret = ask_passphrase() if is_encrypted(file) else ""
    try:
        show_exactly(envelopes.public_half(file, secret))
    except FileError:
        show_exactly(read_key(file, secret).public)


def key_wrap(key: Path, to: options.Needed, out: options.NeededPath) -> None:
    """The verb ``ctdhub key wrap``."""
    linkage_key = open_linkage_key(key)
    envelopes.wrap(linkage_key, to, out)
    _show_linkage(linkage_key)


def key_unwrap(
    envelope: Path,
    own: Annotated[Path, typer.Option("--with")],
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key unwrap``."""
    key = envelopes.unwrap(envelope, own, ask_passphrase() if is_encrypted(own) else "")
    _write_linkage(out, key, passphrase)


def key_split(
    key: Path,
    need: Annotated[int, typer.Option()],
    shares: Annotated[int, typer.Option()],
    out: options.NeededPath,
) -> None:
    """The verb ``ctdhub key split``."""
    linkage_key = open_linkage_key(key)
    for path in linkage_keys.split_files(linkage_key, need, shares, out):
        show_exactly(str(path))
    _show_linkage(linkage_key)


def key_join(
    shares: list[Path],
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key join``."""
    _write_linkage(out, linkage_keys.join_files(shares), passphrase)


def key_rotate(
    key: Path,
    out: options.NeededPath,
    passphrase: Annotated[bool, typer.Option("--passphrase")] = False,
) -> None:
    """The verb ``ctdhub key rotate``."""
    _write_linkage(out, open_linkage_key(key).rotated(), passphrase)


def open_linkage_key(file: Path) -> linkage_keys.LinkageKey:
    """Read the linkage key, asking for its passphrase where it has one."""
    return linkage_keys.read_linkage_key(
        file, ask_passphrase() if linkage_keys.is_locked(file) else ""
    )


def ask_passphrase() -> str:
    """Ask for the passphrase of a file."""
    return str(typer.prompt(_("Passphrase"), hide_input=True))


def _new_passphrase(wanted: bool) -> str:
    if not wanted:
        return ""
    return str(typer.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=True))


def _write_linkage(out: Path, key: linkage_keys.LinkageKey, passphrase: bool) -> None:
    linkage_keys.write_linkage_key(out, key, _new_passphrase(passphrase))
    _show_linkage(key)


def _show_linkage(key: linkage_keys.LinkageKey) -> None:
    text = _("Linkage key, generation {n}, fingerprint {print}")
    say(text, n=key.generation, print=key.fingerprint)


# --------------------------------------------------------------------------------------------------
# What a contributor hands to a hub: tokens, bundle.


# --------------------------------------------------------------------------------------------------
# The verb ``tokens``: a contributor makes a file that may leave.


def tokens(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    key: options.NeededPath,
    release: options.Needed,
    out: options.NeededPath,
    columns: str = "",
    mapping: str = "",
    keep: str = "",
    strip: str = "",
    age_at: str = "",
    dates: options.Order = "dmy",
    sheet: str | None = None,
    header_row: Annotated[int | None, typer.Option(min=1)] = None,
    delimiter: str | None = None,
    yes: options.Yes = False,
) -> None:
    """The verb ``tokens``."""
    check_release(release)
    check_new(out)
    secret = open_linkage_key(key)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        rules = named_mapping(mapping) if mapping else None
        base = rules.read if rules else ReadOptions()
        reading = options.reading(base, sheet, header_row, delimiter)
        raw = read_isolated(file, reading)
        options.refuse_unused(raw, sheet, header_row, delimiter)
        roles = roles_of(columns) if columns else propose(raw)
        what = plan(raw, roles, names(keep), names(strip), rules)
        age = AgeAt(age_at, dates) if age_at else None
        if age:
            check_ages(raw, what, age)
    show_plan(what, age_at)
    question = _("Is this right, and may the remaining columns be sent?")
    options.require_yes(question, _("Nothing was written."), yes=yes)
    with bar() as progress:
        made = tokenise(
            raw, what, Tokeniser(secret.secret, release, filling_secret(key)), out, age, progress
        )
    for note in raw.notes:
        say(said(note))
    _show_made(made)
    text = _(
        "Wrote {file}. You may send this file to the hub. Never send the key to "
        "anybody, the hub least of all."
    )
    say(text, file=out)


def check_release(release: str) -> None:
    """Refuse what is no version of a release."""
    if not re.fullmatch(VERSION_PATTERN, release):
        raise error("release")


def names(text: str) -> list[str]:
    """Names of columns between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def roles_of(text: str) -> dict[Role, str]:
    """Roles out of ``given=…,family=…``."""
    roles: dict[Role, str] = {}
    for part in names(text):
        said, __, column = part.partition("=")
        role = next((r for r in ROLES if r == said.strip()), None)
        if role is None or not column.strip() or role in roles:
            raise error("roles", roles=", ".join(ROLES))
        roles[role] = column.strip()
    return roles


def show_plan(what: TokenPlan, age_at: str) -> None:
    """What happens to each column, before anything is written."""
    fates = {
        "token": _("converted to tokens, then removed"),
        "strip": _("is removed"),
        "code": _("becomes a keyed code"),
        "stay": _("is sent as it is"),
    }
    rows = []
    for column in what.columns:
        name = printable(column.name) + (f" ({column.role})" if column.role else "")
        rows.append((name, fates[column.fate], said(column.reason)))
    if age_at:
        rows.append((AGE, _("is added"), _("Calculated from the birth date, which is removed.")))
    for name in (TOKEN_COLUMN, TOKENS_COLUMN):
        rows.append((name, _("is added"), _("Keyed tokens; without the key they say nothing.")))
    head = (_("column"), _("what happens"), _("why"))
    show_table(_("What will be sent, and what will be removed"), head, rows, fold=False)


def _show_made(made: Made) -> None:
    kind = _("tokens {letter}: {keys}")
    counts = {
        _("rows read and written"): made.rows,
        **{kind.format(letter=k, keys=kind_words()[k]): n for k, n in made.tokens.items()},
        _("rows without the one token that represents a person"): made.without_token,
        _("rows that say too little for any token"): made.without_any,
        _("birth dates that cannot be read for certain"): made.births_unread,
    }
    rows = [(words, number(n)) for words, n in counts.items()]
    show_table("", ("", ""), [*rows, *age_rows(made.without_age)], fold=False)


def age_rows(without: dict[Lack, int] | None) -> list[tuple[str, str]]:
    """How many rows have no age, and why; nothing where no age was asked for."""
    if without is None:
        return []
    words: dict[Lack, str] = {
        "day": _("rows without an age: no full date to count at"),
        "birth": _("rows without an age: no birth date that can be read"),
        "before": _("rows without an age: the birth is after the day"),
    }
    rows = [(_("rows without an age"), number(sum(without.values())))]
    return rows + [(words[lack], number(count)) for lack, count in without.items()]


# --------------------------------------------------------------------------------------------------
# The verb group ``bundle``: what a contributor hands to a hub, made and opened without a desk.


def bundle_card(
    hub: Path, contributor: str, key: options.NeededPath, out: options.NeededPath
) -> None:
    """The verb ``ctdhub bundle card``."""
    from ctdhub.hub.receive_bundle import hub_card

    options.require_new(out)
    signing = open_key(key)
    signed = hub_card(options.hub(hub), contributor, signing, datetime.now(UTC).date())
    write_new(out, card_bytes(signed), 0o644)
    say(_("Wrote {file}."), file=out)
    say(_("Fingerprint: {print}"), print=signed.fingerprint)


def bundle_make(
    file: Annotated[Path, typer.Argument(help=options.table_help())],
    card: options.NeededPath,
    mapping: options.Needed,
    key: options.NeededPath,
    codes: options.NeededPath,
    out: options.NeededPath,
    delivery: Annotated[int, typer.Option(min=1)] = 1,
    yes: options.Yes = False,
) -> None:
    """The verb ``ctdhub bundle make``."""
    from ctdhub.sensitive.bundle.leaving import SECRET_BYTES, codes_print, leaving

    options.require_new(out)
    hub = read_card(card).card
    signing = open_key(key)
    rules = named_mapping(mapping)
    if not codes.exists():
        secret_files.write_new(codes, secrets.token_bytes(SECRET_BYTES))
    secret = codes.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise error("key-length", file=codes)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        raw = read_isolated(file, rules.read)
        progress(_("Preparing what will be sent"), 0.4)
        content = leaving(raw, rules, hub.contributor, hub.years, secret, out.parent)
    rows = [(column.name, fate_words(column.fate)) for column in content.columns]
    show_table("", (_("column"), _("what becomes of it")), rows, fold=False)
    options.require_yes(_("Is this right, and may it be sent?"), _("Nothing was written."), yes=yes)
    packed = pack_bundle(
        hub, content.cases, content.mapping, content.report, signing,
        delivery=delivery, codes=codes_print(secret),
    )  # fmt: skip
    write_bundle(packed, out)
    say(_("Wrote {file}: {rows} rows for {hub}."), file=out, rows=number(content.rows), hub=hub.hub)


def bundle_open(
    file: Path,
    hub: options.NeededPath,
    identity: Annotated[list[Path], typer.Option()],
    out: Path | None = None,
    day: str = "",
) -> None:
    """The verb ``ctdhub bundle open``."""
    from ctdhub.hub.receive_bundle import lay_apart, opened, receive

    if day and not is_day(day):
        raise error("usage", name="--day", command="ctdhub bundle open")
    if out is not None:
        options.refuse_beside("--out", {"--day": day}, "bundle open")
        options.require_private(out)
        lay_apart(opened(options.hub(hub), file, identity), out)
        say(_("Wrote {folder}."), folder=out)
        return
    on = date.fromisoformat(day) if day else datetime.now(UTC).date()
    done = receive(options.hub(hub), file, identity, on)
    made = done.bundle.manifest
    text = _("Delivery {n} of {id}, signed by {key}, is in the hub: {file}.")
    n, id = number(made.delivery), made.contributor
    show_exactly(text.format(n=n, id=id, key=made.signer, file=done.cases))
    text = _("The hub reads it by {file}.")
    if not done.read_by_it:
        text = _("The hub reads it by {file}, which is not the mapping of the bundle.")
    show_exactly(text.format(file=done.mapping))


def fate_words(fate: str) -> str:
    """What becomes of a column, in the language in force."""
    return {
        "leaves": _("is sent as it is"),
        "coarse": _("is sent as the year, age band or country that is read from it"),
        "coded": _("is sent as a code"),
        "birth": _("is sent as it is: a date of birth"),
        "token": _("is sent: keyed tokens"),
        "stripped": _("stays here: it may identify a person"),
        "unread": _("stays here: no rule reads it"),
    }[fate]


# --------------------------------------------------------------------------------------------------
# Verbs of linkage: link, for whoever lawfully holds identifiers; linkage, the report of a hub.


# --------------------------------------------------------------------------------------------------
# What the verb ``link`` prints of a clerical review.


def show_review(review: dict[str, Any]) -> None:
    """Print recall and wrong links with their intervals, and when a policy holds.

    Args:
        review: ``review`` of the summary of a round.
    """
    text = _("Decided: {yes} pairs one person, {no} two people.")
    say(text, yes=number(review["yes"]), no=number(review["no"]))
    head = ["", _("pairs"), _("reviewed"), _("undecided"), _("links found by the model")]
    head += [_("links found after the decisions"), _("wrong links of the model")]
    rows = [
        (
            _group(name) if one is not review else _("all"),
            *(number(one[key]) for key in ("pairs", "reviewed", "undecided")),
            *(_interval(one[key]) for key in ("recall", "recall_after", "false_links")),
        )
        for name, one in {"": review, **review["groups"]}.items()
    ]
    caption = _(
        "Intervals of {level}. They allow for {errors} of wrong decisions, and count what is "
        "undecided as whatever makes each end worse. By the model, {beyond} of all links "
        "cannot be reviewed as pairs; they count as not found."
    ).format(
        level=share(review["level"]),
        errors=share(review["errors"], fine=True),
        beyond=share(review["beyond"], fine=True),
    )
    show_table(_("Clerical review, not to be published"), head, rows, fold=False, caption=caption)
    text = _(
        "Of links that are still missing, tokens find {found}; {merged} of people share a row."
    )
    say(text, found=_interval(review["found"]), merged=_interval(review["merged"]))
    text = _(
        "A line that policy.yaml had under linking before the review holds where found is at "
        "most {found}, and merged at least {merged}. Where it does not hold, take it out; "
        "these figures are of case records, so do not choose another by them."
    )
    say(text, found=_ends(review["found"])[0], merged=_ends(review["merged"])[1])


def _ends(one: dict[str, float]) -> tuple[str, str]:
    return interval(one["low"], one["high"], fine=True)


def _interval(one: dict[str, float]) -> str:
    low, high = _ends(one)
    return _("{low} to {high}").format(low=low, high=high)


def _group(name: str) -> str:
    from ctdhub.sensitive.linkage.identified.pairs import OTHERS, SCRIPTS

    if name == OTHERS:
        return _("other groups")
    parts = (said(SCRIPTS[part]) if part in SCRIPTS else part for part in name.split(" + "))
    return " + ".join(parts) or _("not recorded")


# --------------------------------------------------------------------------------------------------
# The verb ``link``: whoever lawfully holds several contributors' identifiers links by them.


def link(
    files: list[Path],
    key: options.NeededPath,
    release: options.Needed,
    out: options.NeededPath,
    earlier: Path | None = None,
    columns: list[str] | None = None,
    mapping: list[str] | None = None,
    keep: list[str] | None = None,
    strip: list[str] | None = None,
    age_at: list[str] | None = None,
    dates: options.Order = "dmy",
    sheet: list[str] | None = None,
    header_row: list[str] | None = None,
    cut: Annotated[float, typer.Option(min=0.5, max=1.0)] = LinkageSettings().cut,
    review: Annotated[int, typer.Option(min=0)] = 0,
    decisions: Path | None = None,
    review_by: list[str] | None = None,
    review_errors: Annotated[float, typer.Option(min=0.0, max=0.5)] = 0.05,
    yes: options.Yes = False,
) -> None:
    """The verb ``link``."""
    from ctdhub.sensitive.linkage.identified import link_files
    from ctdhub.sensitive.linkage.identified.model import check_installed, more_columns

    check_installed()
    check_release(release)
    link_files.check_files([file.name for file in files], out)
    if review and decisions:
        raise error("review-book/both", file=decisions)
    if review_by and not (review or decisions):
        raise error("usage/goes-with", name="--review-by", other="--review / --decisions")
    for path in (key, out, *files, *filter(None, (earlier, decisions))):
        _not_in_a_hub(path)
    tokeniser = Tokeniser(open_linkage_key(key).secret, release, filling_secret(key))
    if earlier:
        link_files.earlier_tokens(earlier, tokeniser.check)
    stated = {"columns": columns, "mapping": mapping, "keep": keep, "strip": strip,
              "age-at": age_at, "sheet": sheet, "header-row": header_row,
              "review-by": review_by}  # fmt: skip
    of_file = _by_file(files, stated)
    with bar() as progress:
        inputs = [_read_file(file, of_file[file.name], dates, progress) for file in files]
    by = [of_file[file.name]["review-by"] for file in files]
    asked = link_files.ReviewAsked(review, decisions, by, review_errors)
    link_files.check_groups(asked, [file.raw for file in inputs])
    for file in inputs:
        console.print(escape(file.raw.file), style="bold")
        show_plan(file.plan, file.age.column if file.age else "")
        for note in file.raw.notes:
            say(said(note))
    if more := more_columns([file.plan for file in inputs]):
        say(_("Compared as well: {columns}."), columns=listed(list(more)))
    question = _("Is this right, and may the remaining columns be sent?")
    options.require_yes(question, _("Nothing was written."), yes=yes)
    settings = LinkageSettings(cut=cut)
    with bar() as progress:
        summary = link_files.link_files(inputs, tokeniser, out, settings, earlier, progress, asked)
    _show(summary)
    if decisions:
        show_review(summary["review"])
    if review:
        text = _(
            "{book} contains names and the pairs for clerical review. Do not pass "
            "it to anyone who may not see names. Link again with --decisions once "
            "it is filled in; then delete it."
        )
        say(text, book=out / link_files.BOOK_FILE)
    text = _(
        "Wrote {leaves}. You may send this folder to the hub. Never send anything "
        "else in {folder}, or the key, to anybody, the hub least of all. The pairs "
        "for clerical review are in {review}."
    )
    say(text, leaves=out / link_files.LEAVES, folder=out, review=out / link_files.REVIEW_FILE)


def _read_file(
    file: Path, said: dict[str, str], dates: options.Order, progress: Report
) -> LinkFile:
    """One file as read, with what happens to its columns; all are read before one is shown."""
    from ctdhub.sensitive.linkage.identified.link_files import LinkFile

    progress(_("Reading the file"), 0.0)
    rules = named_mapping(said["mapping"]) if said["mapping"] else None
    base = rules.read if rules else ReadOptions()
    raw = read_isolated(file, _reading(base, said["sheet"], said["header-row"]))
    roles = roles_of(said["columns"]) if said["columns"] else propose(raw)
    what = plan(raw, roles, names(said["keep"]), names(said["strip"]), rules)
    age = AgeAt(said["age-at"], dates) if said["age-at"] else None
    if age:
        check_ages(raw, what, age)
    return LinkFile(raw, what, age)


def _not_in_a_hub(path: Path) -> None:
    if any((folder / "hub.yaml").exists() for folder in path.resolve().parents):
        raise error("link-at-hub", file=path)


def _by_file(
    files: Sequence[Path], options: dict[str, list[str] | None]
) -> dict[str, dict[str, str]]:
    """Each option's text for each file: ``FILE:text`` is for one file, other text for all."""
    by_file = {file.name: dict.fromkeys(options, "") for file in files}
    for option, texts in options.items():
        general: set[str] = set()
        for text in sorted(texts or (), key=lambda t: t.partition(":")[0] in by_file):
            file, colon, own = text.partition(":")
            said = (file, own) if colon and file in by_file else ("", text)
            if said[0] in general:
                raise error("option", option=option)
            general.add(said[0])
            for name in [said[0]] if said[0] else by_file:
                by_file[name][option] = said[1]
    return by_file


def _reading(base: ReadOptions, sheet: str, header_row: str) -> ReadOptions:
    if header_row and not (header_row.isdecimal() and int(header_row)):
        raise error("option/header-row")
    return options.reading(base, sheet or None, int(header_row) if header_row else None, None)


def _show(summary: dict[str, Any]) -> None:
    totals = (
        (_("persons, each file by itself"), number(summary["persons"])),
        (_("persons once linked"), number(summary["clusters"])),
        (_("links"), number(summary["links"])),
        (_("links that are expected to be wrong"), number(round(summary["expected_false_links"]))),
        (_("links that are expected to be missing"), _missing(summary)),
        (_("pairs to review"), number(summary["to_review"])),
    )
    show_table(_("Not to be published"), ("", ""), totals, fold=False)
    for file, copy in summary["files"].items():
        if rows := age_rows(copy["without_age"]):
            show_table(file, ("", ""), rows, fold=False)
    overlap = [(listed(known["files"]), number(known["persons"])) for known in summary["overlap"]]
    show_table("", (_("known to"), _("persons once linked")), overlap, fold=False)
    bands = [(share(float(low), fine=True), number(n)) for low, n in summary["bands"].items()]
    show_table("", (_("probability from"), _("pairs")), bands, fold=False)
    if not summary["learnt"]:
        text = _(
            "Too few pairs agree on names and birth to learn from: the match weights "
            "were taken from fictitious people, and how many links are missing is "
            "unknown. Check the pairs for clerical review."
        )
        say(text)
    elif summary["expected_missed_links"] is None:
        text = _(
            "Nothing in these files distinguishes links from chance: how many links are "
            "missing is unknown."
        )
        say(text)


def _missing(summary: dict[str, Any]) -> str:
    """Links expected to be missing, and their share of all."""
    missed = summary["expected_missed_links"]
    if missed is None:
        return _("unknown")
    every = summary["links"] - summary["expected_false_links"] + missed
    return f"{number(round(missed))} ({share(missed / every if every else 0.0, fine=True)})"


# --------------------------------------------------------------------------------------------------
# The verb ``linkage``: the report on who several contributors know.

ONCE = 0.01
"""Share of a contributor's persons held twice from which a word is said."""


def linkage(folder: options.Folder = Path(), as_json: options.AsJson = False) -> None:
    """The verb ``linkage``."""
    from ctdhub.desk.worker.answers.looks import measured_blocks
    from ctdhub.hub.folder import policy
    from ctdhub.hub.stages import link
    from ctdhub.sensitive.linkage.pprl.derive import kind_words

    hub = options.hub(folder)
    report = link.linkage(hub)
    decided = _decided(hub)
    if as_json:
        report |= {"decided": decided} if decided else {}
        show_exactly(json.dumps(report, indent=1))
        return
    totals = (
        (_("people as released"), report["people"]),
        (_("persons with tokens, by contributors' own count"), report["persons_with_tokens"]),
        (_("people among them, by all tokens"), report["clusters"]),
        (_("links"), report["links"]),
        (_("pairs to review"), report["to_review"]),
        (_("tokens that too many share, not used"), report["too_common"]),
        (_("records without any key, each counted as a person"), _unkeyed(report)),
    )
    rows = [(words, number(value)) for words, value in totals]
    show_table(_("For the steward: not to be published"), ("", ""), rows, fold=False)
    overlap = [(listed(n.split("+")), number(people)) for n, people in report["overlap"].items()]
    show_table("", (_("known to"), _("people by all tokens")), overlap, fold=False)
    patterns = []
    for row in report["patterns"][:20]:
        sure = share(row["probability"], fine=True)
        patterns.append((row["kinds"], number(row["pairs"]), number(round(row["by_chance"])), sure))
    title = _("What each agreement is worth (the 20 most frequent)")
    head = (_("what agrees"), _("pairs"), _("by chance"), _("probability"))
    show_table(title, head, patterns, fold=False)
    if decided:
        show_section(_("What the decisions say"), measured_blocks(decided))
    if report["conflicts"]:
        _show_conflicts(report["conflicts"])
    facts = {"x": _("gender"), "y": _("citizenship")}
    for letter, words in (kind_words() | facts).items():
        console.print(f"{letter}: {escape(words)}", highlight=False)
    if report["links"] and not policy(hub).linking.lists:
        text = _(
            "Nothing released follows these links. To merge people by some of their "
            "tokens in what is released, set linking in policy.yaml, for example "
            "linking: {people: 0, lists: 2}."
        )
        say(text)
    if twice := _held_twice(report.get("held_twice", {})):
        text = _(
            "These contributors probably hold some people under two case numbers (about "
            "how many, of all their people): {contributors}. The hub counts them twice. "
            "Ask for one case "
            "number for one person; the pairs are in {file}."
        )
        say(text, contributors=twice, file="work/people/review.csv")
    if len(report["made_apart"]) > 1:
        groups = _("; ").join(listed(group) for group in report["made_apart"])
        text = _(
            "These contributors made their tokens with different keys or for different "
            "releases, so their tokens cannot agree: {groups}."
        )
        say(text, groups=groups)


def _decided(hub: Hub) -> dict[str, Any] | None:
    """What the decisions at the desk say; None where there is none, or nothing to hold to."""
    from ctdhub.hub import doubles
    from ctdhub.hub.stages.link import PAIRS

    if not (hub.work / "people" / PAIRS).is_file():
        return None
    return doubles.measured(hub)


def _unkeyed(report: dict[str, Any]) -> int:
    return sum(int(n) for n, _of in report.get("without_key", {}).values())


def _held_twice(by_contributor: dict[str, list[int]]) -> str:
    """Contributors that hold more than one person in a hundred twice; empty without one."""
    return listed(
        [
            _("{contributor} ({people} of {persons})").format(
                contributor=name, people=number(twice), persons=number(persons)
            )
            for name, (persons, twice) in by_contributor.items()
            if twice > max(ONCE * persons, 3)
        ]
    )


def _show_conflicts(persons: dict[str, int]) -> None:
    rows = [
        (label(name, current()), number(n), said(in_words(load_schema().variable(name))))
        for name, n in persons.items()
    ]
    show_table(
        _("Where records of one person contradict each other"),
        (_("variable"), _("people"), _("what counts")),
        rows,
        fold=False,
        caption=_("Which record says what is in work/people/conflicts.parquet."),
    )
