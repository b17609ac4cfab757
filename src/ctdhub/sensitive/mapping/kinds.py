"""A column, of lists or not, whose texts name kinds: of exploitation, of control, of recruiters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ctdhub.core.i18n import Named, Numeral, Text
from ctdhub.schema.labels import group_label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.glance import FEW, Glance
from ctdhub.sensitive.mapping.header_words import word
from ctdhub.sensitive.mapping.parsers import elements_of
from ctdhub.sensitive.mapping.proposal import SETS, Doubt, Proposal, texts_with_rows
from ctdhub.sensitive.mapping.vocabulary import vocabulary


def kinds(column: Glance) -> Iterator[Proposal | Doubt]:
    """Flags of a column whose header names a group and whose texts name kinds of it.

    Known texts under any other header leave a doubt: "friend" may be who called, "threats" what
    somebody fears, "farming" what she did before.
    """
    own = vocabulary()
    mark = column.separator(own.flags.keys() | own.other)
    elements = {t: [e for e in elements_of(t, mark) if e] for t in column.texts}
    texts = list(dict.fromkeys(e for found in elements.values() for e in found))
    group = own.group_of(column.name)
    meant, main = _meant(texts, group)
    if all(word(text) in own.other for text in meant) or len(texts) > FEW:
        return
    if len(meant) < (0.3 if group else 0.5) * len(texts):
        return
    if column.details:
        reason = Text("its choices have columns of their own, which are used instead")
        yield Doubt(column.name, reason)
        return
    if group is None and main is not None:
        reason = Text(
            "its texts are words of “{group}”, but the header does not say so",
            group=Named.of(lambda language: group_label(main, language)),
        )
        yield Doubt(column.name, reason, shows=True)
        return
    chosen: dict[str, list[str]] = {}
    for text, flag in meant.items():
        chosen.setdefault(flag, []).append(text)
    doubts = _doubts(column, elements, [t for t in texts if t not in meant], mark)
    reason = Text(
        "the column names kinds, of which {n} of {all} are known",
        n=Numeral(len(meant)),
        all=Numeral(len(texts)),
    )
    for flag, found in chosen.items():
        rule: dict[str, Any] = {"has": found} | ({"split": mark} if mark else {})
        yield Proposal(flag, column.name, rule, 0.9 * len(meant) / len(texts), reason, doubts)
        doubts = ()


def _meant(texts: list[str], group: str | None) -> tuple[dict[str, str], str | None]:
    """The flag of each known text, and the group that most of them are of."""
    own, schema = vocabulary(), load_schema()
    if group:
        found = {text: flag for text in texts if (flag := own.flag_in(group, text))}
        return found, group
    sure = {text: flags for text in texts if (flags := own.flags.get(word(text)))}
    groups = [schema.variable(f).group for flags in sure.values() if len(flags) == 1 for f in flags]
    counted = Counter(name for name in groups if name)
    if not counted:
        return {}, None
    main = counted.most_common(1)[0][0]
    return {t: flag for t in texts if (flag := own.flag_in(main, t))}, main


def _doubts(
    column: Glance, elements: dict[str, list[str]], unknown: list[str], mark: str | None
) -> tuple[Text, ...]:
    """What the lists hold beyond the known kinds, and what they do not say."""
    found: tuple[Text, ...] = ()
    if unknown:
        rows = {
            t: sum(column.rows_of([c]) for c, es in elements.items() if t in es) for t in unknown
        }
        part = Glance(column.name, tuple(unknown), rows=rows, all=column.all)
        said = Text("no yes/no variable for: {texts}")
        found += (said.holding(texts=texts_with_rows(part, unknown)),)
    found += (Text("what the cells do not name stays not recorded, unless you add absent: no"),)
    if mark and column.sets(mark):
        found += (SETS,)
    return found
