"""Keyed tokens in place of names, made on the contributor's own computer.

The file with tokens is a further file of the kit, which is looked at, mapped and bundled like any
other; names, birth dates and places are not in it.  The linkage key stays in the kit's folder.
"""

import re
import secrets
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import made_whole
from ctdhub.core.i18n import Text
from ctdhub.core.keys import linkage
from ctdhub.core.keys.envelope import is_envelope, make_pair, public_half, unwrap
from ctdhub.desk.registry import BOTH, page
from ctdhub.desk.rendering import show_page
from ctdhub.desk.screens import carrier_of, cell, reply
from ctdhub.kit.state import Kit, KitFile
from ctdhub.schema.model import AGE
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.linkage.pprl.columns import TokenPlan, plan, propose
from ctdhub.sensitive.linkage.pprl.derive import AgeAt, Tokeniser
from ctdhub.sensitive.linkage.pprl.tokenise import tokenise
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

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
        mapping, raw = _read(request, thing)
        values["plan"] = what = plan(raw, propose(raw), mapping=mapping)
        values["age"] = age = _age(mapping, what)
        if request.method == "POST":
            made = _make(kit, thing, raw, what, age, request.POST)
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


def _read(request: Any, thing: KitFile) -> tuple[Mapping, RawTable]:
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


def _make(
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


PAGES = [page("deliveries/<Delivery>/tokens/", tokens_page, "delivery.send", BOTH, name="tokens")]
