"""The report of a withdrawal by an organisation that sends codes: a small signed file of them.

Apart from the bundle: it is not encrypted, for without the organisation's own secret a code tells
nothing of a person.
"""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.keys.signing import SigningKey, is_signed
from ctdhub.sensitive.bundle.card import HubCard, Signable
from ctdhub.sensitive.bundle.leaving import CODE, code_of
from ctdhub.sensitive.mapping.identifiers import Keying

SUFFIX = ".ctdwithdrawal"
MOST_CODES = 100
"""Codes of one file: a hub asks about each."""
LARGEST = 2**14
"""Bytes of a file, read before anything of it is understood."""

Reach = Literal["person", "records"]
"""A person at every contributor, or in the records of this one alone."""


class WithdrawalFile(Signable):
    """What the organisation signs.

    Attributes:
        kind: the form of the file.
        hub: name of the hub that it is for.
        contributor: id of the organisation.
        scope: see :data:`Reach`.
        codes: of the numbers of cases, in the order in which these were written.
        number: drawn for this file, so that the same one is not taken twice.
        signer: public key of the organisation.
    """

    kind: Literal["ctdhub-withdrawal-1"] = "ctdhub-withdrawal-1"
    hub: str = Field(min_length=1, max_length=200)
    contributor: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    scope: Reach = "person"
    codes: tuple[Annotated[str, Field(pattern=f"^{CODE}$")], ...] = Field(
        min_length=1, max_length=MOST_CODES
    )
    number: str = Field(pattern="^[0-9a-f]{32}$")
    signer: str = Field(max_length=200)


class SignedWithdrawal(FrozenModel):
    """What was signed, and the signature in base64."""

    withdrawal: WithdrawalFile
    signature: str


def write_withdrawal(
    card: HubCard, numbers: Sequence[str], scope: Reach, key: SigningKey, secret: bytes
) -> bytes:
    """The file of a report.

    Args:
        card: of the hub that it is for.
        numbers: of the cases, as the organisation's own file has them.
        scope: see :data:`Reach`.
        key, secret: the organisation's own, with which it signs and makes codes.

    Raises:
        WithdrawalError: there is none, more than :data:`MOST_CODES`, or one names no case.
    """
    if not 0 < len(numbers) <= MOST_CODES:
        raise error("told-numbers", n=MOST_CODES)
    keying = Keying(("case",), "hash", card.contributor, secret, frozenset({"", "-99"}))
    codes: list[str] = []
    for place, number in enumerate(numbers, 1):
        code = code_of(number, keying)
        if code is None:
            raise error("no-number", place=place)
        codes.append(code)
    made = WithdrawalFile(
        hub=card.hub, contributor=card.contributor, scope=scope, codes=tuple(codes),
        number=secrets.token_hex(16), signer=key.public,
    )  # fmt: skip
    signed = SignedWithdrawal(withdrawal=made, signature=key.sign(made.message()))
    return json.dumps(signed.model_dump(mode="json"), indent=1).encode() + b"\n"


def is_withdrawal(content: bytes) -> bool:
    """Whether a file means to be one; a list of numbers does not begin so."""
    return content.lstrip().startswith(b"{")


def parse_withdrawal(content: bytes) -> WithdrawalFile:
    """What an organisation signed.

    Raises:
        FileError: it is no such file, it is too large, or it was changed (rule "withdrawal-file").
    """
    with suppress(ValidationError, RecursionError):
        signed = SignedWithdrawal.model_validate_json(content if len(content) <= LARGEST else b"")
        file = signed.withdrawal
        if is_signed(file.message(), signed.signature, file.signer):
            return file
    raise error("withdrawal-file", n=MOST_CODES)
