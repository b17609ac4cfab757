"""What the explorer holds: synthetic records, packed, and measured tables, as files of the site.

    explore/rows.bin        weights of the records, measured tables with their noise, tables of one
                            variable
    explore/rows.<a>.bin    the records' answers to a question, its published cells by year
    explore/<a>.bin         the published cells of measured tables whose last question it is
    explore/<a>.<b>.<y>.bin the same of tables with years, by all their questions
    explore/texts-<l>.bin   labels, charts and texts in a language
    explore/counting.js     what counts, in a thread of its own; not in a site for disks

A question is a variable or a group of flags, so few files answer a whole chart, and a file is read
when a view asks for it.  It is one gzip stream; in a site for disks it is a classic script that
hands the stream over as base64, because only such scripts load from ``file://``.

Pages of later software read the files that a release keeps: a file of another layout has another
name, under which it is then added (see ``cards``).
"""

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from babel import Locale
from markupsafe import Markup

from ctdhub.core.format import inline, people_words, signs
from ctdhub.core.i18n import RIGHT_TO_LEFT, Text, _, current, formula, said_all
from ctdhub.document.charts.bars import draw_bars
from ctdhub.document.html import embedded
from ctdhub.document.svg import colours
from ctdhub.report import wording
from ctdhub.report.figures import Figure, figure_of
from ctdhub.report.sentences import recorded_people, span_of
from ctdhub.schema.countries import fold_name, place_of, regions
from ctdhub.schema.labels import code_label, definition, group_definition, group_label, label
from ctdhub.schema.model import AGE, CHILD_BANDS, DESTINATION, ORIGIN, PERIOD, load_schema
from ctdhub.site.edition import EXPLORE, Content, MenuEntry, PageKind, WholePage
from ctdhub.site.frame import Links, Page, about, card_address, inlined, policy, said_of, written
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_RECORDED, YES, Row, Table, widening
from ctdhub.stats.query import Query
from ctdhub.stats.tables import distribution, flag_group

# --------------------------------------------------------------------------------------------------
# What a program needs to give the answers of a release itself: records and measured tables.
#
# The explorer of the site counts in a browser.  It holds the synthetic records, the measured tables
# with their noise, and of each table the cells that are published; from these
# ``static/interval.js`` computes what :class:`ctdhub.stats.estimator.Estimator` does, by the same
# steps, so that a number of the explorer is the number that every other page prints.
#
# Bounds.  Where nothing that was measured can carry an interval, still nobody who meets all
# conditions fails one of them: the number is at most the least upper end among the measured tables
# of some of the variables (Fréchet's bound; at least it may be 0).  The explorer takes the tables
# that no other contains, at most ``BOUNDS``, those with most variables first, then the least noisy;
# as the least of k ends is taken, each takes the level ``1 - (1 - level)/k`` (Bonferroni).  What is
# said of the same question without one of its conditions is a bound too, as it is: a part that is
# said to be more than its whole would contradict it, and this bound misses only where the other
# number does.

Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
BOUNDS = 6


class Exploration:
    """The synthetic records of a release by some of its variables, and its measured tables.

    Attributes:
        answers: of the release.
        domains: by variable its values, "not recorded" (the empty text) first.
        codes: by variable one number for each record: the place of its value in the domain.
        tables: measured tables of these variables, each with its columns in the order of ``codes``
            and its noise in people, in the order in which the release lists them.
    """

    def __init__(self, answers: Answers, variables: Sequence[str]) -> None:
        records = answers.release.protected.records
        columns = [v for v in variables if v in answers.variables]
        self.answers = answers
        self.domains = {v: (NOT_RECORDED, *answers.domain(v)) for v in columns}
        self.codes = {v: coded(records[v], self.domains[v]) for v in columns}
        self.order = {name: k for k, name in enumerate(columns)}
        self.tables: dict[tuple[str, ...], float] = {}
        for key, sigma in answers.release.protected.guarantee.sigma.items():
            names = key.split("*")
            if key and all(v in self.order for v in names):
                self.tables[tuple(sorted(names, key=self.order.__getitem__))] = sigma

    def tail(self) -> dict[str, Any]:
        """What follows the records: measured tables, each with its columns in the order of the
        release, and the cells of those of one variable."""
        drawn = self.answers.release.protected.guarantee.drawn
        keys = [self.answers.measured(*names) or "" for names in self.tables]
        return {
            "tables": [[self.order[n] for n in key.split("*")] for key in keys],
            "drawn": [drawn.get(key, 0) for key in keys],
            "all": drawn.get("", 0),
            "sigma": list(self.tables.values()),
            "regions": self.regions(),
            "z": self.answers.z,
            "wider": self.wider(),
            "cells": self.published(names for names in self.tables if len(names) == 1),
        }

    def published(self, tables: Iterable[tuple[str, ...]]) -> dict[str, Any]:
        """The published cells of some of ``tables``, by the places of their columns.

        Of each the flat places, in increasing order and as steps from one to the next, the ends of
        the intervals, the upper end of a cell that is not published, all in people; and of a table
        with years the same of its noisy counts by year, None where a group has none.
        """
        return {",".join(str(self.order[n]) for n in t): self._published(t) for t in tables}

    def _published(self, names: tuple[str, ...]) -> dict[str, Any]:
        answers, cells = self.answers, self.answers.cells(*names)
        rows = [(cell, (e.low, e.high)) for cell, e in cells.items()]
        at, ends = self._in_places(names, rows)
        table: dict[str, Any] = {
            "at": at,
            "low": [low for low, _high in ends],
            "high": [high for _low, high in ends],
            "unseen": answers.unseen(answers.measured(*names) or ""),
        }
        if PERIOD in names and answers.release.measured:
            groups = list(answers.noisy_groups(*names).items())
            at, noisy = self._in_places([n for n in names if n != PERIOD], groups)
            years = self.domains[PERIOD]
            table["noisy"] = {"at": at, "people": [[of.get(y) for y in years] for of in noisy]}
        return table

    def regions(self) -> list[dict[str, Any]]:
        """The tables of regions of these variables: columns, of each the places of the values of
        each group, the noisy cells in this order, and the variance of one."""
        tables = []
        for table in self.answers.regions:
            if not table.groups.keys() <= self.order.keys():
                continue
            axes = table.groups
            place = {n: {v: k for k, v in enumerate(self.domains[n])} for n in axes}
            cells = (dict(zip(axes, cell, strict=True)) for cell in product(*axes.values()))
            tables.append(
                {
                    "columns": [self.order[n] for n in axes],
                    "groups": [
                        [sorted(place[n][v] for v in own) for own in groups.values()]
                        for n, groups in axes.items()
                    ],
                    "noisy": [
                        table.cells.total({n: [g] for n, g in cell.items()}) for cell in cells
                    ],
                    "variance": table.variance,
                }
            )
        return tables

    def wider(self) -> list[float]:
        """How much wider intervals are taken where the worst of 1, 2, … of them is."""
        level = self.answers.release.protected.guarantee.level
        most = max([BOUNDS, *(len(d) for d in self.domains.values())])
        return [widening(level, k) for k in range(1, most + 1)]

    def _in_places(
        self, names: Sequence[str], cells: Sequence[tuple[tuple[str, ...], Any]]
    ) -> tuple[list[int], list[Any]]:
        """What stands in cells, by their flat places in order, and the steps between these."""
        if not names or not cells:
            return [0] * len(cells), [content for _cell, content in cells]
        domains = [self.domains[n] for n in names]
        place = [{code: k for k, code in enumerate(domain)} for domain in domains]
        codes = zip(*(cell for cell, _content in cells), strict=True)
        at = [[of[c] for c in own] for of, own in zip(place, codes, strict=True)]
        places = np.ravel_multi_index(at, [len(domain) for domain in domains])
        order = np.argsort(places)
        return np.diff(places[order], prepend=0).tolist(), [cells[k][1] for k in order]


def coded(column: pa.ChunkedArray, domain: Sequence[str]) -> Codes:
    """Each value's place in the domain, which begins with "not recorded".

    Raises:
        ValueError: a value outside the domain.

    >>> coded(pa.chunked_array([["b", None, "a"]]), ("", "a", "b")).tolist()
    [2, 0, 1]
    """
    places = pc.index_in(pc.fill_null(column, NOT_RECORDED), pa.array(domain))
    if places.null_count:
        raise ValueError("a record holds a value outside the domain of its variable")
    kind = np.uint8 if len(domain) <= 256 else np.uint16
    codes: Codes = places.to_numpy().astype(kind)
    return codes


# --------------------------------------------------------------------------------------------------
# Pack records for the browser: unique rows with weights, sorted, few bits a column.  Which answers
# are recorded comes first in the order, for who contributes decides that of many columns at once.
#
# Weights are little endian.  A column has two bits a code where it has at most 4 codes, else 8, or
# 16 where it has more than 256; four 2-bit codes share a byte, the first in its lowest bits.

FEW, MANY = 4, 256
LEVEL = 7
"""Of gzip: the two levels above it make the files of a release of 60,000 people 1 % smaller, in
four times the time."""


@dataclass(frozen=True)
class Pack:
    """Packed records.

    Attributes:
        rows: unique rows.
        weight: bytes of one weight: 1, 2 or 4.
        bits: of one code, by column.
        weights: of the rows.
        columns: codes of the rows, by column.
    """

    rows: int
    weight: int
    bits: tuple[int, ...]
    weights: bytes
    columns: dict[str, bytes]


def pack(columns: Mapping[str, Codes], sizes: Sequence[int]) -> Pack:
    """Pack columns of codes, all of one length; ``sizes`` tells how many codes each may have.

    >>> import numpy as np
    >>> packed = pack({"a": np.array([3, 1, 3], dtype=np.uint8)}, [4])
    >>> packed.rows, packed.bits, list(packed.weights), list(packed.columns["a"])
    (2, (2,), [1, 2], [13])
    """
    few = [codes for codes, n in zip(columns.values(), sizes, strict=True) if n <= FEW]
    order = np.lexsort([*(codes == 0 for codes in few), *few, *columns.values()][::-1])
    rows = [c[order] for c in columns.values()]
    new = np.zeros(order.size, dtype=bool)
    new[:1] = True
    for column in rows:
        new[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(new)
    weights = np.diff(starts, append=order.size)
    most = int(weights.max(initial=0))
    weight = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
    bits = tuple(2 if n <= FEW else 8 if n <= MANY else 16 for n in sizes)
    parts = {n: _packed(c[starts], b) for n, c, b in zip(columns, rows, bits, strict=True)}
    return Pack(int(starts.size), weight, bits, weights.astype(f"<u{weight}").tobytes(), parts)


def _packed(codes: Codes, bits: int) -> bytes:
    if bits > 2:
        return codes.astype("<u2" if bits == 16 else "u1").tobytes()
    four: npt.NDArray[np.uint8] = np.zeros((-(-codes.size // 4), 4), dtype=np.uint8)
    four.reshape(-1)[: codes.size] = codes
    shifted = four << np.array([0, 2, 4, 6], dtype=np.uint8)
    return bytes(np.bitwise_or.reduce(shifted, axis=1))


ROWS, FOLDER = "rows", "explore"
ENGINE = ("engine.js", "interval.js", "view.js")
"""Scripts that count: in the page where it is for disks, else in the worker."""
WORKER = "counting.js"


@dataclass(frozen=True)
class ChartQuestion:
    """What one chart shows: a variable, or a group of flags with the flag that says "any".

    Attributes:
        name: of the variable or the group.
        column: of the variable, or of the group's indicator.
        flags: columns of the group's flags; () for a variable.
    """

    name: str
    column: str
    flags: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of its columns."""
        return (*self.flags, self.column)


@dataclass(frozen=True)
class Explorer:
    """The explorer's columns in order, packed, its tables as JSON, and its questions."""

    exploration: Exploration
    packed: Pack
    tail: bytes
    questions: tuple[ChartQuestion, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.exploration.codes)

    def files(self) -> dict[str, bytes]:
        """What each file of records and tables holds.  Tables of a question and the years stand by
        its rows, other tables with years, which are large, by all their questions, the rest by the
        last question in the order of the alphabet."""
        of = {name: q.name for q in self.questions for name in q.columns}
        codes = self.packed.columns
        rows = {f"{ROWS}.{q.name}": b"".join(codes[n] for n in q.columns) for q in self.questions}
        tables: dict[str, list[tuple[str, ...]]] = {name: [] for name in rows}
        for names in (t for t in self.exploration.tables if len(t) > 1):
            file, *others = sorted((of[n] for n in names if n != PERIOD), reverse=True)
            if PERIOD in names:
                file = ".".join(sorted([PERIOD, file, *others])) if others else f"{ROWS}.{file}"
            tables.setdefault(file, []).append(names)
        cells = {f: _json(self.exploration.published(own)) for f, own in tables.items()}
        whole = {ROWS: self.packed.weights + self.tail}
        return whole | {f: rows.get(f, b"") + own for f, own in cells.items()}


@lru_cache(maxsize=1)
def explorer(answers: Answers) -> Explorer:
    """The explorer of a release; made once for all languages."""
    questions = _questions(answers)
    columns = [n for q in questions for n in q.flags or (q.column,)]
    columns += [q.column for q in questions if q.flags]
    exploration = Exploration(answers, columns)
    sizes = [len(exploration.domains[name]) for name in columns]
    tail = _json(exploration.tail())
    return Explorer(exploration, pack(exploration.codes, sizes), tail, questions)


def _questions(answers: Answers) -> tuple[ChartQuestion, ...]:
    """The schema's order first, then whatever else a release holds of people."""
    schema, variables, questions = load_schema(), answers.variables, list[ChartQuestion]()
    for name in schema.explorer:
        members = schema.members(name) if name in schema.groups else (name,)
        columns = tuple(n for n in members if n in variables and not schema.is_indicator(n))
        indicator = schema.groups[name].indicator if name in schema.groups else None
        if indicator and indicator in variables and columns:
            questions.append(ChartQuestion(name, indicator, columns))
        elif not indicator:
            questions += [ChartQuestion(column, column) for column in columns]
    seen = {n for q in questions for n in q.columns}
    return (*questions, *(ChartQuestion(n, n) for n in sorted(variables - seen)))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def data_file(stem: str, *, offline: bool = False) -> str:
    """Name of a file of data: one to fetch, or a script for sites for disks."""
    return f"{FOLDER}/{stem}.js" if offline else f"{FOLDER}/{stem}.bin"


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for stem, raw in files.items():
        (folder / data_file(stem)).write_bytes(gzip.compress(raw, LEVEL, mtime=0))


def write_data(answers: Answers, folder: Path) -> None:
    """Write the explorer's files into the folder of the release."""
    _write(folder, explorer(answers).files())
    static = resources.files("ctdhub.site") / "static"
    scripts = [(static / name).read_text("utf-8") for name in (*ENGINE, "counting.js")]
    (folder / FOLDER / WORKER).write_text("".join(scripts), "utf-8")


def write_for_disks(folder: Path) -> None:
    """Turn the data in the folder of a release into classic scripts, which load from ``file://``."""
    (folder / FOLDER / WORKER).unlink()
    for path in folder.glob(data_file("*")):
        text = base64.b64encode(path.read_bytes()).decode("ascii")
        script = folder / data_file(path.stem, offline=True)
        script.write_text(f'ctdhubGiven("{path.stem}","{text}");\n', "ascii")
        path.unlink()


# --------------------------------------------------------------------------------------------------
# The explorer's words that its script puts together, in the language in force.


def words() -> dict[str, Any]:
    """Texts by their use; {…} are filled by the script."""
    texts: dict[str, Any] = said_all("ctdhub.site", "explorer")
    states = {name: wording.state_words(name) for name in ("imprecise", "protected")}
    return {
        **texts,
        "blank": wording.state_words("not_recorded"),
        "few": wording.state_words("protected"),
        "silent": wording.state_words("nobody_reports"),
        "unmeasured": wording.state_words("not_measured"),
        "states": {**texts["states"], **states},
        "reason": texts["states"]["not_measured"],
        "sized": formula("{value} ± {half}"),
    }


PATH = "explore.html"
"""Of the page, and of the card: the chart alone."""
CSS = "explorer.css"
SCRIPTS = ("save.js", "people.js", "say.js", "plot.js", "files.js", "choice.js", "explore.js")
TOP = 12
"""Rows of a chart of countries."""
DRAWN, WRITTEN = 6, 8
"""Charts that readers without scripts see as pictures; as tables; the page links to all others."""


ExplorerChart = tuple[Figure, dict[str, Any]]
"""A chart without filters, and what the script needs of it."""


def page(content: Content) -> Page:
    """The page of a release."""
    answers, rtl = content.answers, current() in RIGHT_TO_LEFT
    tool, offline = explorer(answers), content.edition.offline
    charts = [_chart(tool, question) for question in tool.questions[:WRITTEN]]
    card = answers.card(Query())
    everybody = people_words(wording.sized(card)) if card.has_range else wording.sized(card)
    if card.once is not None:
        everybody = _("{interval}; {recorded}").format(
            interval=people_words(span_of(card, card.once)),
            recorded=recorded_people(card),
        )
    return Page(
        path=PATH,
        title=_("Explore"),
        description=_("Filter the synthetic records and see every chart change with them."),
        values={
            "total": everybody,
            "uncertain": wording.uncertain_people(content.release),
            "charts": [
                (f, spec, draw_bars(f.bars, rtl=rtl).chart(f.id) if k < DRAWN else "")
                for k, (f, spec) in enumerate(charts)
            ],
            "payload": payload(content),
            "source": words()["sources"]["published"],
        },
        scripts=(*(ENGINE if offline else ()), *SCRIPTS),
        sources=() if offline else ("connect-src 'self'", "worker-src 'self'"),
        css=CSS,
    )


def card(content: Content) -> WholePage:
    """The chart alone, to be cited and for a frame; what it shows is in the address after "#"."""
    return WholePage(PATH, _("Explore"), lambda: _framed(content))


def _framed(content: Content) -> str:
    release = content.release
    css, css_hash = inlined(CSS)
    scripts = [inlined(name) for name in SCRIPTS]
    return written(
        "explore_embed.html",
        title=_("Explore"),
        css=css,
        policy=policy(
            [css_hash],
            [digest for _script, digest in scripts],
            data=("connect-src 'self'", "worker-src 'self'"),
        ),
        scripts=[text for text, _digest in scripts],
        payload=payload(content, framed=True),
        links=Links(PATH, current(), release.version, framed=True),
        path=PATH,
        uncertain=wording.uncertain_people(release),
        **said_of(release),
        **about(release),
    )


def _chart(tool: Explorer, question: ChartQuestion) -> ExplorerChart:
    """A variable, or the flags of a group."""
    lang, answers = current(), tool.exploration.answers
    column = tool.columns.index(question.column)
    if question.flags:
        title, meaning = group_label(question.name, lang), group_definition(question.name, lang)
        subtitle = _("People identified, by {variable}; a person may have several").format(
            variable=inline(title)
        )
        table, variable = flag_group(answers, question.name), ""
        order = {flag: k for k, flag in enumerate(question.flags)}
        *rows, unknown = table.rows
        rows.sort(key=lambda row: order[row.codes[0]])
        table = replace(table, rows=(*rows, unknown))
        spec: dict[str, Any] = {"flags": [tool.columns.index(flag) for flag in question.flags]}
    else:
        title, meaning = label(question.name, lang), definition(question.name, lang)
        subtitle = _("People identified, by {variable}").format(variable=inline(title))
        table, variable = distribution(answers, question.name), question.name
        table = _covered(table)
        spec = _codes(tool, question.name, table)
    if ranked := bool(spec.get("ranked")):
        table = replace(table.top(TOP), query=table.query)

    def row_label(codes: tuple[str, ...]) -> str:
        return code_label(variable, codes[0], lang) if variable else label(codes[0], lang)

    figure = figure_of(
        f"explore-{question.name}", title, subtitle, table, row_label, meaning, shares=False
    )
    largest, headline = table.largest, title
    if largest is not None and question.name != PERIOD:
        headline = words()["largest"].format(
            label=row_label(largest.codes), people=people_words(wording.sized(largest.people))
        )
    figure = replace(figure, headline=headline)
    return figure, {
        "name": question.name,
        "column": column,
        "title": title,
        "subtitle": subtitle,
        "meaning": meaning,
        "ranked": ranked,
        "years": question.name == PERIOD,
        "ranges": bool(variable) and load_schema().variable(variable).ranges,
        **spec,
    }


def _codes(tool: Explorer, name: str, table: Table) -> dict[str, Any]:
    """Places in the domain of the values that have a row, of all that are recorded, and of those
    nobody reports; a number stands for all from 1 up to it."""
    domain = tool.exploration.domains[name]

    def places(rows: list[Row]) -> list[int]:
        return [domain.index(row.codes[0]) for row in rows]

    rows = [row for row in table.rows if row.codes != (NOT_RECORDED,)]
    every, ranked = len(domain) - 1, load_schema().variable(name).kind == "country"
    return {
        "codes": every if ranked else sorted(places(rows)),
        "recorded": every,
        "silent": places([row for row in rows if row.kind == "nobody_reports"]),
        "ranked": ranked,
        "held": places([row for row in rows if row.people.has_range]) if ranked else [],
    }


def _covered(table: Table) -> Table:
    """Without the rows after the last one that somebody reports."""
    *rows, unknown = table.rows
    while rows and rows[-1].kind == "nobody_reports":
        rows.pop()
    return replace(table, rows=(*rows, unknown))


def payload(content: Content, *, framed: bool = False) -> Markup:
    """What the script of the page or the card reads first, as JSON that may stand in it: where
    files lie, and what to say if they cannot be read."""
    lang, offline = current(), content.edition.offline
    links = Links(PATH, lang, content.release.version, framed)
    return embedded(
        {
            "offline": offline,
            "files": {
                "data": links.file(data_file("{name}", offline=offline)),
                "worker": links.file(f"{FOLDER}/{WORKER}"),
                "card": links.card(PATH),
            },
            "lang": lang,
            "words": {name: words()[name] for name in ("old", "server", "failed")},
        }
    )


def write_words(folder: Path, content: Content) -> None:
    """Write labels, texts and charts in the language in force into the folder of the release."""
    tool = explorer(content.answers)
    charts = [_chart(tool, question) for question in tool.questions]
    text = json.dumps(_described(tool, charts, content), separators=(",", ":"), ensure_ascii=False)
    _write(folder, {f"texts-{current()}": text.encode()})


def _described(tool: Explorer, charts: list[ExplorerChart], content: Content) -> dict[str, Any]:
    """The columns and charts of a release in the words of the language in force."""
    packed, lang, edition = tool.packed, current(), content.edition
    release = content.release
    columns, domains = tool.columns, tool.exploration.domains
    labels: dict[str, list[str]] = {}
    codes: dict[str, list[str]] = {}
    keys = []
    for name in columns:
        flag = domains[name] == (NOT_RECORDED, YES, "no")
        country = load_schema().variable(name).kind == "country"
        key = "country" if country else "flag" if flag else name
        keys.append(key)
        codes[key] = list(domains[name])
        labels[key] = [c and code_label(name, c, lang) for c in domains[name]]
    people, facts = release.protected.people, release.facts
    credit = wording.caveat(), wording.uncertain_people(release), wording.citation(release)
    return {
        "version": release.version,
        "public": edition.sharing.public(card_address(lang, release.version, PATH)),
        "site": edition.sharing.public(""),
        "layout": {
            **wording.attributes(packed, "rows", "weight", "bits"),
            "more": len(packed.weights),
            "size": len(packed.weights) + len(tool.tail),
            "sizes": [len(domains[name]) for name in columns],
        },
        "people": [people.value, people.low, people.high],
        "period": columns.index(PERIOD) if PERIOD in columns else -1,
        "names": columns,
        "keys": keys,
        "codes": codes,
        "labels": labels,
        "titles": [label(name, lang) for name in columns],
        "yes": [domains[n].index(YES) if YES in domains[n] else 0 for n in columns],
        "questions": [spec for _figure, spec in charts],
        "bounds": BOUNDS,
        "top": TOP,
        "sets": _sets(tool),
        "twice": _twice(tool),
        "signs": signs(),
        "digits": Locale.parse(lang).default_numbering_system,
        "colours": colours(),
        "hub": wording.called(facts),
        "licence": facts.licence,
        "invented": facts.invented,
        "credit": " ".join(filter(None, credit)),
        "words": words(),
    }


@cache
def synonyms() -> dict[str, Any]:
    """Words by which readers look for children, and for pages."""
    text = (resources.files("ctdhub.site") / "synonyms.yaml").read_text("utf-8")
    spellings: dict[str, Any] = yaml.safe_load(text)
    return spellings


def _sets(tool: Explorer) -> list[dict[str, Any]]:
    """Answers that readers choose together: children, by the folded words that find them, and the
    regions that are measured by themselves."""
    columns, spelt = tool.columns, "|".join(map(fold_name, synonyms()["children"]))
    named = [(AGE, ",".join(CHILD_BANDS), CHILD_BANDS, _("Children under 18"), spelt)]
    for place in map(place_of, (*regions(), "eu")):
        own = place.key, place.members, place.name(current()), ""
        named += [(ORIGIN, *own), (DESTINATION, *own)]
    return [
        {"column": columns.index(n), "code": key, "label": name, "spelt": spelt}
        | {"codes": [k for k, code in enumerate(tool.exploration.domains[n]) if code in members]}
        for n, key, members, name, spelt in named
        if n in columns
    ]


def _twice(tool: Explorer) -> dict[str, Any] | None:
    """What makes the second interval of a number or share of people."""
    errors = tool.exploration.answers.release.link_errors
    if errors is None:
        return None
    codes = tool.exploration.domains.get(ORIGIN, ())
    return {
        **wording.attributes(errors, "doubles", "merged", "found", "spread"),
        "least": 1 - 1 / errors.rows,
        "column": tool.columns.index(ORIGIN) if codes else -1,
        "by": [errors.by_citizenship.get(code) for code in codes],
    }


KIND = PageKind(
    "explorer",
    lambda content: [page(content)],
    menu=MenuEntry(EXPLORE, PATH, Text("Data explorer")),
    cards=lambda content: [card(content)],
    files=lambda folder, content: write_data(content.answers, folder),
    translated=write_words,
    reads=("offline",),
)
