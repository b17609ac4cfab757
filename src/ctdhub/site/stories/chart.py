"""A chart inside a story: a fenced block that names what it shows.

```chart
of: gender                      # a variable, a group of flags, or corridors
among: {citizenship: [CIV]}     # only people who meet these conditions
most: 8                         # how many countries or corridors; 10 unless said
```
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import yaml

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import printable
from ctdhub.core.i18n import _
from ctdhub.report.figures import Among, Figure, subject_figure
from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import DESTINATION, ORIGIN
from ctdhub.site.stories.conditions import Named, in_words, query, require_variable
from ctdhub.site.stories.source import StoryPosition
from ctdhub.stats.answers import Answers

CORRIDORS = "corridors"
USUAL, MOST = 10, 30
"""Countries or corridors in a chart, unless said, and at most."""


def chart(text: str, name: str, answers: Answers, place: StoryPosition) -> Figure:
    """The figure that a block asks for, in the language in force.

    Args:
        name: id of the figure and name of the file of its numbers.

    Raises:
        StoryError: the block is not of the form above, names what does not exist, or asks for
            what this release did not measure.
    """
    subject, named, most = _read(text, place)
    groups = {key for key, group in load_schema().groups.items() if group.indicator}
    if subject == CORRIDORS:
        if not set(named) <= {ORIGIN, DESTINATION}:
            raise error("story-chart/corridor", file=place.file, line=place.line)
    elif subject not in groups:
        require_variable(subject, place)
    if subject in named:
        raise error("story-chart/subject", file=place.file, line=place.line, name=subject)
    among = Among(query(named, answers, place).where, name, f"stories/{name}")
    found = subject_figure(answers, subject, among, most)
    if found is None:
        raise error("story-measured", file=place.file, line=place.line)
    return _about(found, named)


def _about(figure: Figure, named: Named) -> Figure:
    """The figure with its conditions in the subtitle."""
    if not named:
        return figure
    subtitle = _("{subtitle}. Only people with: {conditions}").format(
        subtitle=figure.subtitle, conditions=in_words(named)
    )
    return replace(figure, subtitle=subtitle)


def _read(text: str, place: StoryPosition) -> tuple[str, Named, int]:
    try:
        raw: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict) or not set(raw) <= {"of", "among", "most"} or not raw.get("of"):
        raise error("story-chart", file=place.file, line=place.line)
    among, most = raw.get("among") or {}, raw.get("most", USUAL)
    if not isinstance(among, dict) or not among.keys() <= {k for k in among if isinstance(k, str)}:
        raise error("story-chart/conditions", file=place.file, line=place.line)
    if type(most) is not int or not 1 <= most <= MOST:
        raise error("story-chart/rows", file=place.file, line=place.line, most=MOST)
    if not isinstance(raw["of"], str) or not all(map(_plain, among.values())):
        raise error("story-chart/conditions", file=place.file, line=place.line)
    return printable(raw["of"]), {k: _listed(v) for k, v in among.items()}, most


def _plain(values: object) -> bool:
    """One value, or a list of values; what YAML nests deeper is never turned into text."""
    several = values if isinstance(values, list) else [values]
    return all(isinstance(v, str | int | float | dt.date) for v in several)


def _listed(values: object) -> tuple[str, ...]:
    """One value or several, as text; YAML reads yes and no as truth, 2019 as a number."""
    several = values if isinstance(values, list) else [values]
    return tuple({True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v) for v in several)
