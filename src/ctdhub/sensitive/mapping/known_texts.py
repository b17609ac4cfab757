"""The texts of a column that the rules of a mapping name, in the form in which texts are compared.

A file asks this of each of its columns, so a mapping is gone through once.
"""

from __future__ import annotations

from ctdhub.core.text import fold
from ctdhub.sensitive.ingest.shape.list_cell import BLANK
from ctdhub.sensitive.mapping.brackets import OPENING
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.rule import Exclusion, Rule


class KnownTexts:
    """What the rules of a mapping name.

    Args:
        mapping: the mapping.

    Attributes:
        in_brackets: folded texts that begin like a list in brackets and that some rule names as
            they are, in any column.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._empty = frozenset(map(fold, mapping.empty))
        self._rules: dict[str, list[Rule]] = {}
        self._wanted: dict[str, set[str]] = {}
        every = {*mapping.empty}
        for _place, rule in mapping.uses():
            conditions = [rule.when]
            if isinstance(rule, Exclusion):
                conditions.append(rule.unless)
            else:
                every.update(rule.map or {}, rule.has, rule.known, rule.null_values)
                for column in {fold(source) for source in rule.source}:
                    self._rules.setdefault(column, []).append(rule)
            for name, wanted in (pair for c in conditions for pair in c.items()):
                self._wanted.setdefault(fold(name), set()).update(wanted)
                every.update(wanted)
        self.in_brackets = frozenset(t for t in map(fold, every) if t.startswith(OPENING))

    def known(self, column: str) -> frozenset[str]:
        """Folded texts that some rule knows in a column, however it is split.

        Texts that mean "not recorded" count as known; :meth:`decided` leaves them out.
        """
        texts = {BLANK}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.map or {}, rule.null_values)
        return self.decided(column) | self._empty | frozenset(map(fold, texts))

    def decided(self, column: str) -> frozenset[str]:
        """Folded texts of a column that say something: beside them what is absent is absent.

        A list that also holds "unknown" says of nothing that it is absent.
        """
        texts = {"", *self._wanted.get(fold(column), ())}
        for rule in self._rules.get(fold(column), ()):
            texts.update(rule.has, rule.known)
            texts.update(text for text, code in (rule.map or {}).items() if code is not None)
        return frozenset(map(fold, texts))
