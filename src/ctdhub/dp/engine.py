"""The engine: people in, a protected answer out, paid for first.

Before a charge is written its secret is (``pending``); all that is drawn for the answer comes from
the secret, which is destroyed once the answer is stored.  So a charge that was cut off at any
moment is finished by whoever asks the same question about the same exact tables, and gives the
answer that it would have given.
"""

from collections.abc import Mapping

from ctdhub.border import Perpetrators, Protected
from ctdhub.core.files import uncollected
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store, kernels
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Counts
from ctdhub.dp.ledger.book import new_id
from ctdhub.dp.ledger.file import Charge, taking_part, written
from ctdhub.dp.mechanism import Progress, answer_of
from ctdhub.dp.noise import ChargeSecret
from ctdhub.dp.quote import Quote, refusal, standing, unit


@uncollected()
def charge(quote: Quote, progress: Progress | None = None, *, agreed: bool = False) -> Protected:
    """Give the answer of a quote: one that is held, or a new one, which is charged first.

    Args:
        progress: told (message, fraction done).
        agreed: whether the price of the quote was agreed on; else it is paid whatever it is now.

    Raises:
        WouldCharge: it was, and another charge was made since: the price is another.
        Overspend, LedgerTampered, LedgerError: as :func:`ctdhub.dp.quote.quote_people`.
    """
    tell, ledger = progress or (lambda message, share: None), quote.ledger
    with ledger.exclusive():
        answer, price, cut_off = standing(quote, priced=agreed)
        if answer is not None:
            tell(Text("answered before: nothing is charged"), 1.0)
            return answer
        if price and price != quote.price:
            raise refusal(price)
        kernels.require_sweep()
        if cut_off:
            tell(Text("charge {n} was cut off: finishing it", n=cut_off[0].number), 0.07)
        with answer_store.room(ledger, _most_bytes(quote.exact, quote.asked.plan.imputations)):
            answer = _minted(quote, *(cut_off or _charge(quote, tell)), tell)
        answer_store.store(ledger, answer, quote.asks.parts)
        answer_store.destroy_pending(ledger.pending)
        return answer


def _most_bytes(exact: Mapping[str, Counts], imputations: int) -> int:
    """About as many bytes as an answer takes: two a cell of its records, eight a count."""
    cells = sum(table.size for part in exact.values() for table in part.values())
    people = max((int(t.sum(dtype="i8")) for t in exact["people"].values()), default=0)
    people *= 1 + imputations
    columns = len({name for table in exact["people"] for name in table})
    return 2**20 + 2 * people * columns + 8 * cells


def _charge(quote: Quote, tell: Progress) -> tuple[Charge, ChargeSecret]:
    """A new charge, and the secret of its noise, which is on the disk before the charge is."""
    asked, ledger, what = quote.asked, quote.ledger, quote.asked.what
    last = ledger.entries()[-1:]
    if last and not answer_store.holds(ledger, last[0]):
        what = written("again", purpose=what, n=last[0].number)
        tell(Text("charged again: charge {n} was cut off without an answer", n=last[0].number), 0.0)
    rho, who = rho_of(asked.epsilon, asked.delta), taking_part(quote.facts)
    ledger.check_reach(rho, asked.epsilon, asked.delta, budget=asked.budget, contributors=who)
    begun = answer_store.Pending(new_id(), ChargeSecret.fresh(), quote.asks.exact)
    answer_store.write_pending(ledger.pending, begun)
    entry = ledger.charge(
        quote.asks.question,
        rho,
        asked.epsilon,
        asked.delta,
        what,
        budget=asked.budget,
        contributors=who,
        id=begun.charge,
    )
    return entry, begun.secret


def _minted(quote: Quote, entry: Charge, secret: ChargeSecret, tell: Progress) -> Protected:
    asked, exact, child = quote.asked, quote.exact, quote.child
    rho = {name: part.rho for name, part in quote.parts.items()}
    measured = None
    if quote.sources:
        drawn = secret.stream("sources")
        measured = quote.sources.measured(exact["sources"], rho["sources"], drawn)
    perpetrators, inner = None, None
    if child:
        tell(Text("protecting rows of alleged perpetrators"), 0.07)
        drawn = secret.stream("perpetrators")
        inner = answer_of(exact["perpetrators"], child.plan, rho["perpetrators"], drawn)
        perpetrators = Perpetrators(inner.records, inner.counts, child.each, inner.sigma)
    people = answer_of(exact["people"], asked.plan, rho["people"], secret.stream("people"), tell)
    return people.protected(
        asked.plan,
        (asked.epsilon, asked.delta, entry.rho),
        unit(asked.plan),
        entry.id,
        not_fitted=inner.not_fitted if inner else (),
        facts=quote.facts,
        perpetrators=perpetrators,
        sources=measured,
    )
