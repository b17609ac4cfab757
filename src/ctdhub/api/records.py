"""A contributor's file: a first mapping for it, and its records in the schema of the hub."""

import os
import secrets
import warnings
from pathlib import Path

from ctdhub.core.errors import error
from ctdhub.core.i18n import said
from ctdhub.schema.model import YEARS
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.mapping import run
from ctdhub.sensitive.mapping.drafting import suggest as drafting
from ctdhub.sensitive.mapping.drafting.suggest import Suggestion, read_to_suggest
from ctdhub.sensitive.mapping.mapping_file import named_mapping
from ctdhub.sensitive.mapping.run import Harmonised


def suggest(file: str | os.PathLike[str]) -> Suggestion:
    """A first mapping for a file, with the reason for each line.

    The draft holds texts of coded columns: keep it where the file is.  A person reads every line.

    Args:
        file: a table that ``ctdhub suggest`` reads, for example csv, xlsx, ods or json.

    Returns:
        ``yaml``, the text of the mapping; ``builtin``, the name of a built-in mapping that reads
        such files, or None; ``unmatched``, the columns for which nothing is suggested.

    Raises:
        HubError: the file cannot be read; the rule says why.

    >>> import ctdhub
    >>> draft = ctdhub.suggest("cases.csv")
    >>> "gender" in draft.mapping.columns
    True
    """
    return drafting.suggest(*read_to_suggest(Path(file)))


def harmonise(
    file: str | os.PathLike[str],
    mapping: str | os.PathLike[str],
    *,
    contributor: str = "contributor",
    years: tuple[int, int] = YEARS,
    key: bytes | None = None,
) -> Harmonised:
    """Turn a file into records of the hub's schema; every row is accounted for.

    Nothing is written.  What is returned is sensitive: it holds case records.  What the reader
    decided on its own is told as a warning.

    Args:
        file: a table, as in :func:`suggest`.
        mapping: a mapping file, or the name of a built-in mapping, for example "ctdc-2024".
        contributor: id of the contributor; part of record ids.
        years: first and last year that a record may be of, both included.
        key: secret for person keys, at least 16 bytes; a new one by default, and then the keys of
            two runs cannot be compared.

    Returns:
        ``records`` (a pyarrow Table), ``rejects`` (one row per error, with row, column, rule and
        reason), ``conservation`` (rows read = records + rejected + excluded), ``lineage`` (where
        each variable comes from).

    Raises:
        HubError: the file cannot be read, the mapping is wrong or is not meant for the file, a
            column holds likely identifiers that the mapping does not decide, or the key is too
            short (``key-length``); the rule says which.

    >>> import ctdhub
    >>> done = ctdhub.harmonise("cases.csv", "mapping.yaml")
    >>> done.conservation
    Conservation(rows_read=3, records=2, rejected=1, excluded={})
    """
    secret = secrets.token_bytes(32) if key is None else key
    if len(secret) < 16:
        raise error("key-length")
    rules = named_mapping(os.fspath(mapping))
    raw = read_isolated(Path(file), rules.read)
    done = run.harmonise(raw, rules, contributor, years, secret)
    for note in raw.notes:
        warnings.warn(said(note), stacklevel=2)
    return done
