"""What leaves, the bundle made of it, the contributor's own numbers, the reports that it owes, and
tokens in place of names.
"""

import csv
import io
import json
import re
import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import made_whole
from ctdhub.core.i18n import Text, _, current
from ctdhub.core.keys import linkage
from ctdhub.core.keys.envelope import is_envelope, make_pair, public_half, unwrap
from ctdhub.core.tables import FILE_ROW
from ctdhub.desk.registry import BOTH, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.screens import carrier_of, cell, reply
from ctdhub.kit.state import OWN, Kit, KitFile
from ctdhub.schema.labels import code_label, group_label, label
from ctdhub.schema.model import AGE, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.bundle import leaving, pack
from ctdhub.sensitive.bundle.leaving import Reach, WhatLeaves, check_case_codes, codes_print
from ctdhub.sensitive.bundle.pack import SignedCard
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan, plan, propose
from ctdhub.sensitive.linkage.pprl.derive import AgeAt, Tokeniser
from ctdhub.sensitive.linkage.pprl.tokenise import tokenise
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import load_mapping, parse_mapping
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.profile import NOT_RECORDED, Profile, profile
from ctdhub.sensitive.returns.fill import SheetAccount, fill, load_return_mapping

# --------------------------------------------------------------------------------------------------
# The contributor's own numbers, of its own rows alone: exact, for nobody else.

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


def own_numbers(kit: Kit, file: KitFile, text: str) -> tuple[Profile, list[OwnTable]]:
    """The numbers of a file in the language in force: its profile, and tables for the page.

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
    return own, tables


def _values(own: Profile, variable: str, most: int | None = None) -> OwnTable:
    coded = [(code, n) for code, n in own.values[variable].items() if code != NOT_RECORDED]
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


# --------------------------------------------------------------------------------------------------
# What leaves, the bundle made of it, and the contributor's own numbers.

SAMPLE = 5
"""Rows of the preview, drawn anew each time."""


def leaving_page(request: Any, thing: KitFile) -> HttpResponse:
    """Everything that would leave, read out of the finished archive."""
    signed, title = request.kit.card(), Text("What is sent")
    values: dict[str, Any] = {"thing": thing, "signed": signed, "cell": cell, "met": None}
    if signed is None:
        return show_page(request, "kit/leaving.html", title, **values)
    carrier = carrier_of(request, thing)
    values |= {"compared": request.kit.state().compared, "missing": [], "place": {}}
    try:
        reply(carrier, "open")
        whole = reply(carrier, "columns")
        values["missing"] = whole["missing"]
        values["place"] = {one["column"]: at for at, one in enumerate(whole["columns"])}
        text = reply(carrier, "text")["text"]
        leaves, packed = finished(request.kit, thing, signed, text)
        if request.method == "POST":
            return _make(request, thing, carrier, packed)
    except HubError as met:
        return show_page(request, "kit/leaving.html", title, **values | {"met": met})
    opened = pack.parse_bundle(packed.archive)
    rows = list(csv.reader(io.StringIO(opened.cases.decode(), newline="")))
    header, body = rows[0], rows[1:]
    values |= {
        "leaves": leaves,
        "manifest": opened.manifest,
        "report": json.loads(opened.report),
        "header": [_("Row") if name == FILE_ROW else name for name in header],
        "sample": secrets.SystemRandom().sample(body, min(SAMPLE, len(body))),
    }
    return show_page(request, "kit/leaving.html", title, **values)


def finished(
    kit: Kit, thing: KitFile, signed: SignedCard, text: str
) -> tuple[WhatLeaves, pack.Packed]:
    """What is decided about each column of a file, and its archive, not encrypted yet.

    The archive has equal bytes each time, until something is decided otherwise.

    Raises:
        HubError: something is to be decided first, or the file cannot be read.
    """
    mapping = parse_mapping(text, "mapping.yaml")
    raw = replace(read_isolated(kit.path(thing), mapping.read), file=thing.name)
    card, secret, state = signed.card, kit.secret(), kit.state()
    leaves = leaving.leaving(raw, mapping, card.contributor, card.years, secret, kit.root)
    packed = pack.pack_bundle(
        card,
        leaves.cases,
        leaves.mapping,
        leaves.report,
        kit.key(),
        delivery=state.deliveries + 1,
        replaces=thing.digest,
        codes=codes_print(secret),
    )
    return leaves, packed


def _make(request: Any, thing: KitFile, carrier: Any, packed: pack.Packed) -> HttpResponse:
    """Write the bundle, if it is the one that was shown."""
    kit: Kit = request.kit
    if not kit.state().compared:
        raise error("kit-card-first")
    if request.POST.get("digest") != packed.manifest.digest:
        raise error("kit-changed")
    reply(carrier, "keep")
    made = packed.manifest
    name = f"{made.contributor}-{made.delivery}{pack.SUFFIX}"
    pack.write_bundle(packed, kit.root / "bundles" / name)
    with kit.changing() as state:
        state.deliveries = made.delivery
        state.files = [
            replace(one, delivery=made.delivery, digest=made.digest, bundle=name)
            if one.id == thing.id
            else one
            for one in state.files
        ]
    return redirect("bundle", id=thing.pk)


def bundle(request: Any, thing: KitFile) -> HttpResponse:
    """The bundle is made: where it is, and how it gets to the hub."""
    path = request.kit.root / "bundles" / thing.bundle
    if not thing.bundle or not path.is_file():
        return redirect("leaving", id=thing.pk)
    own = request.kit.key().public
    signed = request.kit.card()
    return show_page(
        request,
        "kit/bundle.html",
        Text("The bundle is ready"),
        thing=thing,
        folder=str(path.parent),
        name=thing.bundle,
        bytes=path.stat().st_size,
        own_print=pack.key_print(own),
        known=bool(signed and own in signed.card.senders),
        signed=signed,
    )


def bundle_file(request: Any, thing: KitFile) -> HttpResponse:
    """The bundle itself, to be saved."""
    path = request.kit.root / "bundles" / thing.bundle
    if not thing.bundle or not path.is_file():
        raise Http404
    return _to_save(path, thing.bundle)


def _to_save(path: Path, name: str) -> FileResponse:
    kind = "application/octet-stream"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=kind)


def dashboard(request: Any, thing: KitFile) -> HttpResponse:
    """The contributor's own numbers: exact, private, of this file alone."""
    carrier = carrier_of(request, thing)
    values: dict[str, Any] = {"thing": thing, "cell": cell, "met": None}
    try:
        reply(carrier, "open")
        text = reply(carrier, "text")["text"]
        values["profile"], values["tables"] = own_numbers(request.kit, thing, text)
    except HubError as met:
        values["met"] = met
    return show_page(request, "kit/dashboard.html", Text("Your own numbers"), **values)


# --------------------------------------------------------------------------------------------------
# The report of a withdrawal: numbers of cases in, a signed file of codes out; neither is kept.


def withdrawal_page(request: Any) -> HttpResponse:
    """Numbers of people who withdraw become a file for the hub, which is saved at once."""
    kit: Kit = request.kit
    signed, met = kit.card(), None
    scope: Reach = "records" if request.POST.get("scope") == "records" else "person"
    numbers = [line for line in str(request.POST.get("numbers", "")).splitlines() if line.strip()]
    if request.method == "POST" and signed is not None:
        try:
            if not kit.state().compared:
                raise error("kit-card-first")
            place = kit.root / "mappings"
            rules = [*place.glob(f"{OWN}.yaml"), *sorted(place.glob(f"{OWN}/*.yaml"))]
            for newest in rules[-1:]:
                check_case_codes(load_mapping(newest))
            content = leaving.write_withdrawal(signed.card, numbers, scope, kit.key(), kit.secret())
            name = f"{signed.card.contributor}-{secrets.token_hex(4)}{leaving.WITHDRAWAL_SUFFIX}"
            return FileResponse(io.BytesIO(content), as_attachment=True, filename=name)
        except HubError as refused:
            met = refused
    values = {"signed": signed, "met": met, "scope": scope, "numbers": "\n".join(numbers)}
    fixed = {"most": leaving.MOST_CODES, "compared": kit.state().compared}
    title = Text("Report a withdrawal")
    return show_page(request, "kit/withdrawal.html", title, **values, **fixed)


# --------------------------------------------------------------------------------------------------
# Reports that the contributor owes, filled from its own rows into a publisher's empty workbook.
#
# Exact and private: what is written describes single people and stays in the kit's folder.

RULES = "report.yaml"
_ENDINGS = (".xlsx", ".xlsm")


def owed_page(request: Any, thing: KitFile) -> HttpResponse:
    """Fill an empty workbook from a file, and say where each column comes from."""
    kit: Kit = request.kit
    values: dict[str, Any] = {"thing": thing, "cell": cell, "met": None, "account": None}
    if request.method == "POST":
        try:
            values |= _fill(kit, thing, request.FILES)
        except HubError as met:
            values["met"] = met
    values["rules"] = (_folder(kit) / RULES).is_file()
    values["filled"] = _filled(kit, thing) is not None
    return show_page(request, "kit/owed.html", Text("Reports that you must send"), **values)


def _fill(kit: Kit, thing: KitFile, files: Any) -> dict[str, Any]:
    book, rules = files.get("workbook"), files.get("rules")
    places = [one.place for one in (book, rules) if one is not None]
    try:
        if rules is not None and rules.size:
            load_return_mapping(rules.place)
            rules.place.replace(_folder(kit) / RULES)
        ending = Path(book.name or "").suffix.lower() if book is not None else ""
        if book is None or ending not in _ENDINGS or not (_folder(kit) / RULES).is_file():
            raise error("kit-no-report")
        empty = book.place.with_name(f"{book.place.name}{ending}")
        book.place.replace(empty)
        places.append(empty)
        values = _written(kit, thing, empty, ending)
    finally:
        for place in places:
            place.unlink(missing_ok=True)
    return values


def _written(kit: Kit, thing: KitFile, empty: Path, ending: str) -> dict[str, Any]:
    mapping = load_return_mapping(_folder(kit) / RULES)
    raw = read_isolated(kit.path(thing), mapping.read)
    for old in _ENDINGS:
        _out(kit, thing, old).unlink(missing_ok=True)
    accounts: list[SheetAccount] = fill(raw, mapping, empty, _out(kit, thing, ending))
    return {"account": accounts, "unread": raw.rejects.num_rows}


def owed_file(request: Any, thing: KitFile) -> FileResponse:
    """The filled workbook, to be saved."""
    path = _filled(request.kit, thing)
    if path is None:
        raise Http404
    return _to_save(path, f"report{path.suffix}")


def _folder(kit: Kit) -> Path:
    folder = kit.root / "reports"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _out(kit: Kit, thing: KitFile, ending: str) -> Path:
    return _folder(kit) / f"{thing.id}{ending}"


def _filled(kit: Kit, thing: KitFile) -> Path | None:
    places = (_out(kit, thing, ending) for ending in _ENDINGS)
    return next((place for place in places if place.is_file()), None)


# --------------------------------------------------------------------------------------------------
# Keyed tokens in place of names, made on the contributor's own computer.
#
# The file with tokens is a further file of the kit, which is looked at, mapped and bundled like any
# other; names, birth dates and places are not in it.  The linkage key stays in the kit's folder.

KEY, PAIR = "linkage.key", "receiving.pem"
_RELEASE = re.compile(r"\d{4}\.[1-9]\d{0,5}")

FATES = {
    "token": (Text("becomes tokens, then is removed"), "quiet"),
    "strip": (Text("is removed"), "quiet"),
    "code": (Text("becomes a keyed code"), "wait"),
    "stay": (Text("stays in the file"), "wait"),
}
"""What becomes of a column, and the tone of its tag."""


def tokens_page(request: Any, thing: KitFile) -> HttpResponse:
    """What tokens would be made of, and the button that makes them."""
    kit: Kit = request.kit
    values: dict[str, Any] = {"thing": thing, "cell": cell, "fates": FATES}
    values |= dict.fromkeys(("met", "plan", "age"))
    try:
        if request.method == "POST" and request.FILES.get("key"):
            _take_key(kit, request.FILES["key"], request.POST)
            return redirect("tokens", id=thing.pk)
        mapping, raw = _opened(request, thing)
        values["plan"] = what = plan(raw, propose(raw), mapping=mapping)
        values["age"] = age = _age(mapping, what)
        if request.method == "POST":
            made = _with_tokens(kit, thing, raw, what, age, request.POST)
            return redirect("columns", id=made.pk)
    except HubError as met:
        values["met"] = met
    key, pair = kit.root / KEY, kit.root / PAIR
    if not pair.exists():
        make_pair(pair)
    values |= {"held": linkage.is_linkage_key(key), "locked": linkage.is_locked(key)}
    values["receiving"] = public_half(pair)
    return show_page(request, "kit/tokens.html", Text("Tokens in place of names"), **values)


def _take_key(kit: Kit, upload: Any, posted: Any) -> None:
    """Keep the linkage key: as it came, or out of an envelope for this kit.

    The key that was there stays until the new one is whole, and another one takes its place only
    where the form says so.
    """
    place, key, passphrase = upload.place, kit.root / KEY, posted.get("passphrase", "")
    try:
        if is_envelope(place):
            offer = unwrap(place, kit.root / PAIR)
        elif linkage.is_linkage_key(place):
            offer = linkage.read_linkage_key(place, passphrase)
        else:
            raise error("kit-no-linkage-key")
        another = (
            linkage.is_linkage_key(key) and linkage.stated_fingerprint(key) != offer.fingerprint
        )
        if another and not posted.get("replace"):
            raise error("kit-other-linkage-key")
        with made_whole(key) as fresh:
            linkage.write_linkage_key(fresh, offer, passphrase)
    finally:
        Path(place).unlink(missing_ok=True)


def _opened(request: Any, thing: KitFile) -> tuple[Mapping, RawTable]:
    carrier = carrier_of(request, thing)
    reply(carrier, "open")
    mapping = parse_mapping(reply(carrier, "text")["text"], "mapping.yaml")
    raw = read_isolated(request.kit.path(thing), mapping.read)
    return mapping, replace(raw, file=thing.name)


def _age(mapping: Mapping, what: TokenPlan) -> AgeAt | None:
    """The day at which the mapping counts ages from the birth date, which goes."""
    for rule in mapping.columns.get(AGE, ()):
        if rule.at and what.of("birth") in rule.source:
            return AgeAt(rule.at, mapping.dates.order or "dmy")
    return None


def _with_tokens(
    kit: Kit, thing: KitFile, raw: RawTable, what: TokenPlan, age: AgeAt | None, posted: Any
) -> KitFile:
    """Write the file with tokens into the kit's folder, as a file of its own."""
    release = posted.get("release", "").strip()
    if not _RELEASE.fullmatch(release):
        raise error("release")
    key = _key(kit, posted.get("passphrase", ""))
    made = KitFile(
        secrets.token_hex(16), printable(f"tokens-{release}-{thing.name}", 200), ".csv",
        thing.day, "",
    )  # fmt: skip
    out = kit.path(made)
    tokenise(
        raw, what, Tokeniser(key.secret, release, linkage.filling_secret(kit.root / KEY)), out, age
    )
    made = replace(made, sha256=sha256(out.read_bytes()).hexdigest())
    with kit.changing() as state:
        state.files.append(made)
    return made


def _key(kit: Kit, passphrase: str) -> linkage.LinkageKey:
    if not linkage.is_linkage_key(kit.root / KEY):
        raise error("kit-no-linkage-key")
    return linkage.read_linkage_key(kit.root / KEY, passphrase)


PAGES = [
    page("deliveries/<Delivery>/leaving/", leaving_page, "delivery.send", BOTH, name="leaving"),
    page("deliveries/<Delivery>/bundle/", bundle, "delivery.send"),
    page("deliveries/<Delivery>/bundle/file/", bundle_file, "delivery.send"),
    page("deliveries/<Delivery>/numbers/", dashboard, "report.read", name="dashboard"),
    page("deliveries/<Delivery>/owed/", owed_page, "report.read", BOTH, name="owed"),
    page("deliveries/<Delivery>/owed/file/", owed_file, "report.read"),
    page("deliveries/<Delivery>/tokens/", tokens_page, "delivery.send", BOTH, name="tokens"),
    page("withdrawal/", withdrawal_page, "withdrawal.tell", BOTH, name="withdrawal"),
]
