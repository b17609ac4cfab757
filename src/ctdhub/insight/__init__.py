"""What a release says, as number cards: facts, tables, sentences.

Belongs here: statistics on released values, each with its interval and its caveats.
Does not belong here: raw records, drawing (``portal``), files (``release``).
"""

from ctdhub.insight.answers import Answers
from ctdhub.insight.cards import NumberCard, card
from ctdhub.insight.facts import PlaceFacts, headline, place_facts
from ctdhub.insight.sides import Headline, Side
from ctdhub.insight.tables import Row, Table, corridors, distribution, flag_group

__all__ = [
    "Answers",
    "Headline",
    "NumberCard",
    "PlaceFacts",
    "Row",
    "Side",
    "Table",
    "card",
    "corridors",
    "distribution",
    "flag_group",
    "headline",
    "place_facts",
]
