"""From people to a protected answer, paid for in the ledger."""

import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from ctdhub.border import Protected
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.engine import charge
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import Pay, Price, Quote, quote_people
from ctdhub.dp.sources import Overlap
from ctdhub.hub.contributions import ANSWER, OVERLAP, PEOPLE, PERPETRATORS
from ctdhub.hub.engine import Engine
from ctdhub.hub.folder import Hub, public_facts, variables, year_of
from ctdhub.hub.paid import budget_split, check_paid, ledger, published
from ctdhub.hub.stages.differencing import check_company, check_series
from ctdhub.hub.steps import Progress, Step, hash_file, hash_of, hash_path, software
from ctdhub.release.bundle import free, latest_release
from ctdhub.release.manifest import MANIFEST
from ctdhub.schema.model import PERSON


@dataclass(frozen=True)
class Protection:
    """Today's people under a policy: what their protected answer costs, and the answer.

    See ``dp.quote`` for what is not paid again.

    Attributes:
        version: that the answer is for; "" for whatever comes next.
        progress: told what is done.
        pay: told the price of what is to be charged, and may refuse it; None pays.
    """

    hub: Hub
    rules: Policy
    engine: Engine
    version: str = ""
    progress: Progress | None = None
    pay: Pay | None = None

    def answer(self) -> Protected:
        """The protected answer.

        Raises:
            Overspend: the budget, or its reserve for drafts, does not reach.
            ReleaseError: the version is published, with another answer, or is no version.
        """
        quote = self._quote()
        if quote.price:
            asked = self._checked(quote.price)
            if self.pay:
                self.pay(asked)
        return charge(quote, self.progress, agreed=True)

    def price(self) -> Price | None:
        """What the answer would cost now, None where it is given again; nothing is charged.

        Raises:
            Overspend: the budget does not reach.
        """
        price = self._quote().price
        return price and self._checked(price)

    def step(self) -> Step:
        """People -> the protected answer, charged to the ledger; the answer lies in the ledger."""
        hub, output = self.hub, self.hub.work / "protected"
        if not self._has_answer(output / ANSWER):
            shutil.rmtree(output, ignore_errors=True)  # it is gone, or is not to be given again

        def run(folder: Path) -> None:
            answer = self.answer()
            seen = {"charge": answer.guarantee.charge, "years": answer.facts["years"]}
            (folder / ANSWER).write_text(json.dumps(seen), "utf-8")

        return Step(
            name="protect",
            inputs={
                Text("people"): hash_of([hash_path(path) for path in _linked(hub)]),
                Text("policy"): hash_file(hub.policy_file),
                Text("schema version"): hub.settings.schema_version,
                Text("contributors"): hash_of(hub.facts(self.rules.years)["contributors"]),
            },
            output=output,
            run=run,
            software=software(__name__),
        )

    @property
    def _withheld(self) -> Collection[str]:
        """Charges whose answer is not given again: a new version never has a published one."""
        published_already = (self.hub.releases / self.version / MANIFEST).is_file()
        return published(self.hub) if self.version and not published_already else ()

    def _quote(self) -> Quote:
        """What the answer about today's people costs.

        Years are covered until that of the version.  Where none is given and a year began since
        the last release, its answer is given again if nothing else has changed: a clock charges
        nothing.
        """
        until, last = year_of(self.hub, self.version), latest_release(self.hub.releases)
        if not self.version and last and (before := year_of(self.hub, last.name)) != until:
            quote = self._counted(before)
            if quote.price is None:
                return quote
            del quote  # its tables are as large as those that follow
        return self._counted(until)

    def _counted(self, until: int) -> Quote:
        hub, rules = self.hub, self.rules
        check_paid(hub)
        schema, facts = variables(hub, rules), public_facts(hub, rules, until)
        check_company(facts["contributors"], rules, schema)
        check_series(hub, rules, schema)
        people, perpetrators, overlap = _linked(hub)
        if self.progress:
            self.progress(Text("counting"), 0.05)
        return quote_people(
            self.engine.rows(people),
            rules,
            ledger(hub),
            facts,
            self.engine.rows(perpetrators, grouped_by=PERSON),
            Overlap.read(overlap),
            schema=schema,
            past=self._withheld,
        )

    def _checked(self, price: Price) -> Price:
        """A price, with what is left for one more version.

        Raises:
            Overspend: the budget, or its reserve for drafts, does not reach.
            ReleaseError: the version is published.
        """
        if self.version:
            free(self.hub.releases, self.version)
        split = budget_split(self.hub, self.rules)
        if price.epsilon:
            split.check(rho_of(price.epsilon, price.delta), price.epsilon)
        return replace(price, left=split.left)

    def _has_answer(self, said: Path) -> bool:
        """Whether the last answer is there, may be given again and covers the version's years."""
        try:
            seen = json.loads(said.read_text("utf-8"))
        except FileNotFoundError:
            return False
        charge, hub = str(seen["charge"]), self.hub
        if self.version:
            covered = public_facts(hub, self.rules, year_of(hub, self.version))["years"]
            if seen.get("years") != covered:
                return False
        book = ledger(hub)
        paid = [entry for entry in book.entries() if entry.id == charge]
        present = any(answer_store.holds(book, entry) for entry in paid)
        return charge not in self._withheld and present


def _linked(hub: Hub) -> tuple[Path, Path, Path]:
    """The tables of people and of their perpetrators, and the overlap of lists."""
    folder = hub.work / "people"
    return folder / PEOPLE, folder / PERPETRATORS, folder / OVERLAP
