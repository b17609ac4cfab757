"""Read a published site from Python: tables, places, records, with their intervals.

The reader's side of the files that ``site.api`` writes, and of sets of records for inference; it
starts without the engine.  No path is taken from a file of the site: paths are made here from the
version and from names that are checked, so a hostile index leads nowhere.  What comes from the
release's own files is compared with its list of hashes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import re
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import NormalDist
from typing import Any, Protocol
from urllib.parse import urlsplit

from ctdhub.core.errors import HubError, error, printable

# --------------------------------------------------------------------------------------------------
# Where the files of a site come from: a folder, or a web server.
#
# Neither follows a way out: a link in a folder, or a redirection to another server.

SLOWEST = 30.0
"""Seconds that a server may stay silent."""
LONGEST = 600.0
"""Seconds that one file may take."""
_CHUNK = 2**16


class Source(Protocol):
    """Files of a site by path from its root."""

    def read(self, path: str, most: int) -> bytes:
        """The file's bytes.

        Raises:
            SiteError: there is no such file, or it has more than ``most`` bytes.
        """


@dataclass(frozen=True)
class Folder:
    """A site in a folder, for example an offline copy."""

    root: Path

    def read(self, path: str, most: int) -> bytes:
        with suppress(OSError, RuntimeError, ValueError):  # a ring of links, a name of no file
            root = self.root.resolve()
            file = (root / path).resolve()
            if file.is_relative_to(root) and file.is_file():
                with file.open("rb") as handle:
                    return _small(handle.read(most + 1), most, path)
        raise _missing(path)


class Web:
    """A site on a server.

    Args:
        url: of the root of the site, http or https.

    Raises:
        SiteError: the address is of another kind, or holds a password, a query or a part.
    """

    def __init__(self, url: str) -> None:
        self._origin = _origin(url)
        self._url = url.rstrip("/") + "/"
        self._opener = urllib.request.build_opener(_SameServer(self._origin))

    def read(self, path: str, most: int) -> bytes:
        request = urllib.request.Request(self._url + path, headers={"User-Agent": "ctdhub"})  # noqa: S310
        content, end = bytearray(), time.monotonic() + LONGEST
        try:
            with self._opener.open(request, timeout=SLOWEST) as answer:
                while len(content) <= most and (part := answer.read1(_CHUNK)):
                    content += part
                    if time.monotonic() > end:
                        raise TimeoutError
        except urllib.error.HTTPError as cause:
            if cause.code == 404:
                raise _missing(path) from None
            raise error("http", file=path, code=cause.code) from None
        except (HTTPException, OSError, ValueError):  # a name that no server has, among them
            raise error("connection", file=path) from None
        return _small(bytes(content), most, path)


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Redirections stay on the server, or change its http to https."""

    def __init__(self, origin: tuple[str, str]) -> None:
        self._origin = origin

    def redirect_request(self, *parts: Any, **named: Any) -> urllib.request.Request | None:
        to = _origin(parts[-1])
        if to != self._origin and to != ("https", self._origin[1]):
            raise error("redirect")
        return super().redirect_request(*parts, **named)


def _origin(url: str) -> tuple[str, str]:
    """Scheme, and host with port, of an address that is fit to be asked."""
    try:
        parts = urlsplit(url)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme in ("http", "https") and parts.hostname and plain:
            return parts.scheme, parts.netloc.lower()
    except ValueError:
        pass
    raise error("site-address")


def _small(content: bytes, most: int, path: str) -> bytes:
    if len(content) > most:
        raise error("size", file=path, n=most)
    return content


def _missing(path: str) -> HubError:
    return error("no-file/site", file=path)


# --------------------------------------------------------------------------------------------------
# From the JSON and CSV of a site to tables.

LARGEST_JSON = 50 * 2**20
"""Bytes."""
NUMBERS = ("count", "low", "high", "state")
ONCE = ("once_low", "once_high")
_NOT_AS_DESCRIBED = (AttributeError, LookupError, RuntimeError, TypeError, ValueError, csv.Error)
"""What Python and Arrow raise where a file has another shape; Arrow's own errors are among them."""


def read_json(source: Source, path: str) -> dict[str, Any]:
    """A JSON file of a site, which is an object.

    Raises:
        SiteError: it is missing, too large, or no such thing.
    """
    text = source.read(path, LARGEST_JSON)
    with damage():
        data = json.loads(text)
    if not isinstance(data, dict):
        raise damaged(path)
    return data


def read_lines(source: Source, path: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file of a site, by column.

    Raises:
        SiteError: it is missing, too large, or no such thing.
    """
    text = source.read(path, LARGEST_JSON)
    with damage():
        yield from csv.DictReader(io.StringIO(text.decode("utf-8"), newline=""))


def damaged(path: str = "") -> HubError:
    """The error for a file that is not what it should be."""
    return error("damaged", file=path or None)


@contextmanager
def damage() -> Iterator[None]:
    """Turn what goes wrong in reading a file of the wrong shape into one error."""
    try:
        yield
    except _NOT_AS_DESCRIBED:
        raise damaged() from None


def columns(variables: tuple[str, ...]) -> dict[str, str]:
    """Columns of a table of counts and their types."""
    numbers = dict.fromkeys(("count", "low", "high"), "int64")
    return {**dict.fromkeys(variables, "string"), **numbers, "state": "string"}


def rows_of(rows: list[dict[str, Any]], kinds: Mapping[str, str]) -> Any:
    """Rows as a pyarrow Table with these columns.

    Raises:
        SiteError: a value is of another type.
    """
    import pyarrow as pa

    fields = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    with damage():
        return pa.Table.from_pylist(rows, fields)


def facts_of(side: str, cards: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of one side of a place as rows."""

    def row(fact: str, code: str, card: Mapping[str, Any]) -> dict[str, Any]:
        unit = "share" if "share" in card else "people"
        value = card["share"] if unit == "share" else card["count"]
        numbers = {**{name: card[name] for name in NUMBERS[1:]}, "count": value}
        return {"side": side, "fact": fact, "code": code, "unit": unit, **numbers}

    return [
        row("people", "", cards["people"]),
        row("women", "", cards["women"]),
        *(row("exploitation", card["flag"], card) for card in cards["exploitation"]),
        *(
            row("corridor", f"{card['citizenship']}|{card['country_of_exploitation']}", card)
            for card in cards["corridors"]
        ),
    ]


def frame(table: Any, facts: Mapping[str, Any], *, arrow: bool) -> Any:
    """A DataFrame where pandas is installed and ``arrow`` is false; whole numbers stay whole.

    Args:
        table: a pyarrow Table.
        facts: kept beside the numbers, as ``attrs["ctdhub"]`` or as metadata of the schema.
    """
    if arrow or find_spec("pandas") is None:
        return table.replace_schema_metadata({"ctdhub": json.dumps(facts, ensure_ascii=False)})
    import pyarrow as pa

    whole = {pa.int64(): import_module("pandas").Int64Dtype()}
    made = table.to_pandas(types_mapper=whole.get)
    made.attrs["ctdhub"] = dict(facts)
    return made


# --------------------------------------------------------------------------------------------------
# What the root of a site tells of notices about its releases.

VERSION = r"\d{4}\.[1-9]\d{0,5}"
_LONGEST, _NAMED = 2000, 20


def notices_of(root: Mapping[str, Any], version: str) -> tuple[dict[str, Any], ...]:
    """The notices about a release, each with its ``text`` for those who read English.

    Args:
        root: ``api/latest.json`` of the site.

    Raises:
        SiteError: they have another shape.
    """
    with damage():
        return tuple(_notice(one) for one in root.get("errata", {}).get(version, ()))


def withdrawn_in(root: Mapping[str, Any]) -> frozenset[str]:
    """Versions that were withdrawn.

    Raises:
        SiteError: they are no list of versions.
    """
    withdrawn = root.get("withdrawn", [])
    if not isinstance(withdrawn, list) or not all(isinstance(one, str) for one in withdrawn):
        raise damaged()  # a text would be read letter by letter, and 2026.10 as 2026.1
    return frozenset(withdrawn)


def versions_in(releases: Mapping[str, Any]) -> str:
    """The versions that a site has, to name in an error; what is no version is left out."""
    names = [str(name) for name in releases if re.fullmatch(VERSION, str(name))]
    return ", ".join(names[:_NAMED]) or "-"


def _notice(entry: Mapping[str, Any]) -> dict[str, Any]:
    note = {str(code): printable(str(text), _LONGEST) for code, text in entry["note"].items()}
    return {
        "number": int(entry["number"]),
        "sort": printable(str(entry["sort"])),
        "date": printable(str(entry["date"])),
        "text": note.get("en") or next(iter(note.values()), ""),
        "note": note,
        "concerns": [printable(str(name)) for name in entry["concerns"]],
    }


# --------------------------------------------------------------------------------------------------
# Sets of records for inference: read them, and pool what was estimated from each.

_LARGEST = 2**30
"""Bytes."""


@dataclass(frozen=True)
class Pooled:
    """One estimate from several sets.

    Attributes:
        estimate: the mean over the sets.
        standard_error: of sampling and of the noise of privacy together.
        low, high: the confidence interval.
        df: degrees of freedom of the t distribution that the interval is made with; infinite where
            the sets agree.
        noise_share: share of the variance that the noise of privacy makes, 0 to 1.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    df: float
    noise_share: float


def pool(estimates: Sequence[float], variances: Sequence[float], *, level: float = 0.95) -> Pooled:
    """Pool one number that was estimated from each set by itself.

    With U the mean of the variances and B the variance of the m estimates between the sets, the
    variance is T = U + (1 + 1/m) B, and the interval is of a t distribution with
    (m - 1) (1 + U / ((1 + 1/m) B))^2 degrees of freedom (Rubin 1987, chapter 3).  With few sets
    the interval is wide where noise matters; 10 are usually enough.

    Args:
        estimates: one from each set, at least two.  The estimate should be about normal: the
            logarithm of an odds ratio, not the ratio.
        variances: their squared standard errors, as if the records of a set were real; above 0.
        level: of the interval, above 0 and at most 0.999.

    Raises:
        SiteError: fewer than two sets, not as many variances, a number that is none
            (``pool-numbers``).

    >>> found = pool([0.52, 0.47, 0.55, 0.50, 0.46], [0.0025] * 5)
    >>> round(found.estimate, 3), round(found.standard_error, 4), round(found.df)
    (0.5, 0.0642, 26)
    >>> round(found.low, 3), round(found.high, 3), round(found.noise_share, 2)
    (0.368, 0.632, 0.39)
    """
    m = len(estimates)
    numbers = [float(x) for x in (*estimates, *variances)]
    if m < 2 or len(variances) != m or not all(map(math.isfinite, numbers)):
        raise error("pool-numbers")
    if min(numbers[m:]) <= 0 or not 0 < level <= 0.999:
        raise error("pool-numbers")
    mean, inside = math.fsum(numbers[:m]) / m, math.fsum(numbers[m:]) / m
    between = (1 + 1 / m) * math.fsum((x - mean) ** 2 for x in numbers[:m]) / (m - 1)
    total = inside + between
    df = (m - 1) * (total / between) ** 2 if between > 0 else math.inf
    tail = 0.5 + level / 2
    reach = _t_quantile(df, tail) * math.sqrt(total)
    return Pooled(mean, math.sqrt(total), mean - reach, mean + reach, df, between / total)


def _t_quantile(df: float, tail: float) -> float:
    """The quantile of Student's t with ``df`` >= 1, or infinitely many, degrees of freedom.

    With t = sqrt(df) tan(a) its density is proportional to cos(a)^(df - 1), smooth enough for 64
    points of Gauss and Legendre and falling in a: Newton's steps from the normal quantile, which is
    lower, never pass the root.  With many degrees of freedom, Cornish and Fisher's first term.
    Right to five digits up to a tail of 0.9995.

    Args:
        tail: the probability below it, at least 1/2.
    """
    import numpy as np

    normal = NormalDist().inv_cdf(tail)
    if df > 1e5:
        return normal + (normal**3 + normal) / (4 * df)
    places, weights = np.polynomial.legendre.leggauss(64)
    wanted = (tail - 0.5) * math.sqrt(math.pi)
    wanted *= math.exp(math.lgamma(df / 2) - math.lgamma((df + 1) / 2))
    angle = math.atan(normal / math.sqrt(df))
    for _step in range(40):
        below = angle / 2 * float(weights @ np.cos(angle / 2 * (places + 1)) ** (df - 1))
        angle += (wanted - below) / math.cos(angle) ** (df - 1)
    return math.sqrt(df) * math.tan(angle)


SET = "imputation-{k:02}.parquet"
"""A set in a release of a hub."""


def open_imputations(folder: str | Path, *, arrow: bool = False) -> Iterator[Any]:
    """The sets for inference of a table that was protected, one after the other.

    Args:
        folder: what ``ctdhub protect --imputations`` wrote, or the folder of a release of a hub
            whose policy asks for sets; of a site take :meth:`Site.imputations`.
        arrow: give pyarrow Tables even where pandas is installed.

    Yields:
        A set: one row per made-up person, missing where not recorded.  Sets differ in their number
        of rows.

    Raises:
        SiteError: there are no sets (``no-imputations``); a file is missing or was changed.
    """
    import pyarrow.parquet as pq

    source = Folder(Path(folder))
    manifest = read_json(source, "manifest.json")
    with damage():
        sets, files = int(manifest.get("imputations", 0)), dict(manifest["files"])
    if sets < 1:
        raise error("no-imputations")
    for k in range(1, sets + 1):
        name = f"imputations/records-{k:02}.parquet"
        if name not in files:  # a release has no folders
            name = SET.format(k=k)
        content = source.read(name, _LARGEST)
        with damage():
            right = hashlib.sha256(content).hexdigest() == files[name]["sha256"]
        if not right:
            raise damaged(name)
        with damage():
            table = pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
        yield frame(table, {"set": k, "sets": sets}, arrow=arrow)


LARGEST_DATA = 2**30
"""Bytes."""
_VERSION = re.compile(VERSION)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SIDES = ("citizens", "exploited")
_Entry = tuple[tuple[str, ...], float, int, int]
"""A table in the list of a release: its variables, sigma, shown cells, upper end of the others."""
_NO_ENTRY: _Entry = ((), 0.0, 0, 0)
_SMALL = 2
"""Variables of a table that stands in the files of its variables."""


def open_site(where: str | Path, version: str = "", *, arrow: bool = False) -> Site:
    """Open a site.

    Args:
        where: address of its first page (http or https), or its folder.
        version: of the release, for example "2026.1"; the newest by default.
        arrow: give pyarrow Tables even where pandas is installed.

    Warns:
        CorrectedRelease: the site holds a notice about the release.

    Raises:
        SiteError: there is no site, or no such release; it was withdrawn; it cannot be reached; it
            is damaged.

    >>> open_site("file:///etc/passwd")
    Traceback (most recent call last):
    ...
    ctdhub.core.errors.SiteError: This is not the address of a site. Give the address of its first \
page, such as https://data.example.org/, or a folder. (rule site-address)
    """
    web = isinstance(where, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", where)
    source: Source = Web(str(where)) if web else Folder(Path(where))
    if version and not _VERSION.fullmatch(version):
        raise error("version/site")
    root = read_json(source, "api/latest.json")
    asked = version or str(root.get("version"))
    if not _VERSION.fullmatch(asked):
        raise error("version/site")
    errata = notices_of(root, asked)
    notices = "; ".join(f"{e['date']}: {e['text']}" for e in errata)
    if asked in withdrawn_in(root):
        raise error("withdrawn-release", version=asked, note=notices)
    releases = root.get("releases")
    if isinstance(releases, dict) and asked not in releases:
        raise error("no-file/release", version=asked, names=versions_in(releases))
    if errata:
        warnings.warn(f"Release {asked} was corrected. {notices}", CorrectedRelease, stacklevel=2)
    return Site(source, asked, arrow, errata)


class CorrectedRelease(UserWarning):
    """The hub has published a notice about the release that is read: see ``Site.errata``."""


@dataclass(frozen=True)
class Site:
    """One release of a site; made by :func:`open_site`.

    Tables are pandas DataFrames where pandas is installed, else pyarrow Tables.  Every number
    stands in ``count`` with its interval ``low`` to ``high``; ``state`` is "shown", "protected"
    (too few to show reliably, never zero; ``count`` is missing) or "not_measured".  The empty
    text among values means "not recorded".  ``attrs["ctdhub"]`` of a DataFrame, or the schema
    metadata ``ctdhub`` of a Table (JSON), holds release, level, caveat and citation; for a table
    of counts also ``sigma`` and ``unlisted``, the interval of every cell that has no row, as far
    as that table says (see :meth:`at_most`).
    """

    source: Source
    release: str
    arrow: bool = False
    errata: tuple[Mapping[str, Any], ...] = ()
    """Notices about the release, the oldest first: number, sort, date, text (English, where the
    hub wrote it), note (by language) and concerns (columns, tables, charts; none: all)."""

    @property
    @damage()
    def citation(self) -> str:
        """How to cite the release, and that it was corrected where it was."""
        return str(self._cited(self._index["citation"]))

    def _cited(self, text: Any) -> Any:
        """A citation as the index has it, and that the release was corrected where it was."""
        if not self.errata:
            return text
        return f"{text} Corrected on {self.errata[-1]['date']}: see the notice."

    @property
    @damage()
    def caveat(self) -> str:
        """The sentence that must stand beside every number."""
        return str(self._index["caveat"])

    @property
    @damage()
    def level(self) -> float:
        """Coverage of every interval, in 0..1."""
        return float(self._index["level"])

    @property
    @damage()
    def invented(self) -> bool:
        """Whether these are practice data about nobody."""
        return bool(self._index["invented"])

    @property
    @damage()
    def counted_twice(self) -> dict[str, Any] | None:
        """How many people may be counted twice: ``most``, ``about``, ``share_a_row`` (the most who
        share a row), ``found`` (share of doubles that tokens find, at least) and ``reviewed``
        (whether a clerical review told it); None where the release does not measure it."""
        shares = self._index.get("counted_twice")
        return None if shares is None else dict(shares)

    @property
    @damage()
    def breaks(self) -> list[dict[str, Any]]:
        """Breaks that contributors declared: figures before and after one are not comparable.

        Returns:
            ``contributor``, ``date``, ``kind``, ``note`` and, where a break concerns some figures
            only, ``variables``.
        """
        return [
            {"contributor": one["name"], **text}
            for one in self._index["contributors"]
            for text in one.get("breaks", ())
        ]

    def tables(self) -> Any:
        """Measured tables of one or two variables: ``first``, ``second`` (empty in a table of
        one), ``sigma`` (of the noise, in people), ``cells`` (rows that are shown)."""
        tables = [
            {"first": names[0], "second": "".join(names[1:]), "sigma": sigma, "cells": cells}
            for names, sigma, cells, _unlisted in self._tables.values()
            if len(names) <= _SMALL
        ]
        kinds = {"first": "string", "second": "string", "sigma": "float64", "cells": "int64"}
        return self._frame(rows_of(tables, kinds), {})

    def table(self, *variables: str) -> Any:
        """People by one, two or three variables: a column for each, then count, low, high, state.

        Where the release measures it (``counted_twice``) a table of one or two variables has the
        second interval, if everybody is counted once: ``once_low`` and ``once_high``.

        Raises:
            SiteError: this release has no such variable, or did not measure these together.
        """
        names, sigma, _cells, high = self._tables.get(frozenset(variables), _NO_ENTRY)
        if len(names) != len(variables) or not names:
            if unknown := sorted(set(variables).difference(*self._tables)):
                raise error("no-such-variable/site", name=printable(unknown[0]))
            raise error("not-measured/together")
        unlisted = {"count": None, "low": 0, "high": high, "state": "protected"}
        about = {"sigma": sigma, "unlisted": unlisted}
        if len(names) > _SMALL:
            with damage():
                manifest = json.loads(self._checked("manifest.json"))
                about["sigma"] = manifest["sigma"]["*".join(names)]
            return self._frame(self._large(names, variables), about)
        kinds = columns(variables) | dict.fromkeys(ONCE if self.counted_twice else (), "int64")
        return self._frame(rows_of(self._cells(variables), kinds), about)

    def at_most(self, **values: str) -> int:
        """Upper end, in people, of one cell of a table of one or two variables.

        A cell that has no row is at most the upper end of ``unlisted``, and of the people with each
        of its values alone: the least of these, as on every page of the site.

        Args:
            values: of each variable its code, "" for "not recorded".

        Raises:
            SiteError: this release did not measure these together in a table of its own.
        """
        names, *_noise, most = self._tables.get(frozenset(values), _NO_ENTRY)
        if not 0 < len(names) <= _SMALL:
            raise error("not-measured/together")
        rows = (r for r in self._cells(tuple(values)) if all(r[n] == c for n, c in values.items()))
        if row := next(rows, None):
            return int(row["high"])
        wholes = [name for name in values if len(values) > 1 and frozenset([name]) in self._tables]
        return min([most, *(self.at_most(**{name: values[name]}) for name in wholes)])

    def place(self, key: str) -> Any:
        """Facts of a country ("civ") or region ("europe").

        ``side`` is "citizens" (its citizens, exploited anywhere) or "exploited" (people exploited
        there); ``fact`` is "people", "women", "exploitation" (``code`` is the flag) or "corridor"
        (``code`` is citizenship and country of exploitation, joined with "|"); ``unit`` says
        whether ``count`` is a number of people or a share in 0..1.

        Raises:
            SiteError: the place has no page in this release.
        """
        key = key.lower()
        if key not in self._places:
            raise error("place")
        file = read_json(self.source, f"{self._folder}/api/places.json")
        with damage():
            (place,) = [each for each in file["places"] if each["key"] == key]
            rows = [row for side in _SIDES for row in facts_of(side, place[side])]
        kinds = dict.fromkeys(("side", "fact", "code", "unit"), "string")
        numbers = dict.fromkeys(("count", "low", "high"), "float64")
        return self._frame(rows_of(rows, {**kinds, **numbers, "state": "string"}), {})

    def places(self) -> dict[str, str]:
        """English names of the places that have facts, by key."""
        return dict(self._places)

    def labels(self, variable: str, lang: str = "en") -> dict[str, str]:
        """Labels of the values of a variable, by code.

        Raises:
            SiteError: no such variable, or the site has not that language.
        """
        with damage():
            for entry in self._index["variables"]:
                if entry["name"] == variable and lang in entry["labels"]:
                    return {v["code"]: v["labels"][lang] for v in entry["values"]}
        raise error("labels")

    def records(self) -> Any:
        """Protected records, one row per person, missing where not recorded; no row is a real
        person."""
        return self._frame(self._parquet("records.parquet"), {})

    def _cells(self, variables: tuple[str, ...]) -> list[dict[str, Any]]:
        """Rows of a table of one or two variables."""
        first, by = variables[0], "".join(variables[1:])
        lines = read_lines(self.source, f"{self._folder}/api/tables/{first}.csv")
        with damage():
            return [
                {first: line["code"], **({by: line["value"]} if by else {})}
                | {name: int(line[name]) for name in (*NUMBERS[:-1], *ONCE) if name in line}
                | {"state": line["state"]}
                for line in lines
                if line["by"] == by
            ]

    @property
    def _folder(self) -> str:
        return f"r/{self.release}"

    @cached_property
    def _index(self) -> dict[str, Any]:
        index = read_json(self.source, f"{self._folder}/api/index.json")
        if index.get("release") != self.release:
            raise damaged("index.json")
        return index

    @cached_property
    def _tables(self) -> dict[frozenset[str], _Entry]:
        lines = read_lines(self.source, f"{self._folder}/api/tables.csv")
        with damage():
            rows = [(r["table"].split("*"), r["sigma"], r["cells"], r["unlisted"]) for r in lines]
            entries: list[_Entry] = [(tuple(n), float(s), int(c), int(u)) for n, s, c, u in rows]
            if not all(_NAME.fullmatch(name) for names, *_numbers in entries for name in names):
                raise ValueError
            return {frozenset(entry[0]): entry for entry in entries}

    @cached_property
    def _places(self) -> dict[str, str]:
        with damage():
            names = {e["key"]: str(e["names"]["en"]) for e in self._index["places"]}
            if not all(_NAME.fullmatch(key) for key in names):
                raise ValueError
            return names

    @cached_property
    def _hashes(self) -> dict[str, str]:
        text = self.source.read(f"{self._folder}/SHA256SUMS", LARGEST_JSON).decode(
            "utf-8", "replace"
        )
        return {
            name: digest for digest, _gap, name in (s.partition("  ") for s in text.splitlines())
        }

    def _checked(self, name: str) -> bytes:
        """A file of the release, as its list of hashes has it."""
        content = self.source.read(f"{self._folder}/{name}", LARGEST_DATA)
        if hashlib.sha256(content).hexdigest() != self._hashes.get(name):
            raise damaged(name)
        return content

    def imputations(self) -> Iterator[Any]:
        """The sets of records for inference, one after the other, for :func:`ctdhub.client.pool`.

        Raises:
            SiteError: the release has none (``no-imputations``); one is missing or was changed.
        """
        with damage():
            sets = int(json.loads(self._checked("manifest.json")).get("imputations", 0))
        if sets < 1:
            raise error("no-imputations")
        for k in range(1, sets + 1):
            yield self._frame(self._parquet(SET.format(k=k)), {"set": k, "sets": sets})

    def _parquet(self, name: str) -> Any:
        import pyarrow.parquet as pq

        content = self._checked(name)
        with damage():
            return pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)

    def _large(self, names: tuple[str, ...], variables: tuple[str, ...]) -> Any:
        """A table that has no file of its own, out of counts.parquet."""
        import pyarrow as pa
        import pyarrow.compute as pc

        counts = self._parquet("counts.parquet")
        with damage():
            keys = pc.binary_join(counts["columns"], "*")
            chosen = counts.filter(pc.equal(keys, "*".join(names)))
            values = [pc.list_element(chosen["values"], names.index(name)) for name in variables]
            return pa.table([*values, *map(chosen.column, NUMBERS)], [*variables, *NUMBERS])

    def _frame(self, table: Any, about: Mapping[str, Any]) -> Any:
        common = ("release", "level", "caveat", "citation", "invented")
        facts = {**{name: self._index.get(name) for name in common}, **about}
        if self.errata:
            facts["errata"] = [dict(notice) for notice in self.errata]
            facts["citation"] = self._cited(facts.get("citation"))
        return frame(table, facts, arrow=self.arrow)
