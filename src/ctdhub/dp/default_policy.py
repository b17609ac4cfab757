"""The policy of a new hub: every setting with its default, explained to who decides it."""

from __future__ import annotations

from ctdhub.dp.policy import MAX_PEOPLE, usual_promise


def default_policy(max_people: int = MAX_PEOPLE) -> str:
    """The text of policy.yaml for a new hub.

    Args:
        max_people: declared bound of the people that the hub will ever hold, at least 1.  It
            decides the promise, see :func:`ctdhub.dp.policy.usual_promise`, and delta where 1e-8
            is not small enough for so many.
    """
    epsilon, budget = usual_promise(max_people)
    given = {
        "epsilon: 2.0": f"epsilon: {epsilon}",
        "budget: {epsilon: 6.0,": f"budget: {{epsilon: {budget},",
        f"max_people: {MAX_PEOPLE}": f"max_people: {max_people}",
        "delta: 1.0e-8": f"delta: {min(1e-8, 1 / (100 * max_people)):.1e}".replace("e-0", "e-"),
    }
    text = _DEFAULT
    for written, wanted in given.items():
        text = text.replace(written, wanted)
    return text


_DEFAULT = """\
# What this hub publishes and how well it protects each person.  The board of the hub decides it;
# change it before the first release, for every release is paid from the same budget.
version: 1

# Columns that are released: all public columns of the schema_version in hub.yaml, or a list of
# their names.  What a later version brings is not released, and costs nothing, until that version
# stands in hub.yaml; `ctdhub check` names it.  Fewer columns leave less noise on each.
columns: all

# Every column costs noise, so `columns: all` leaves out what few contributors record, unless it is
# named here: the channels of recruitment (recruited), the kinds of forced criminality (crime), who
# decided that somebody is a victim (status_decided_by), by which route somebody was brought to the
# exploitation (route).  Name a group, or single columns.
also: []

# First and last year that may ever be published.  Never taken from the data.
years: [2002, 2030]

# The promise to each person, for one release.  Whatever somebody can conclude from the release,
# they could have concluded it almost as well if the person had never been in the data: no chance
# grows by more than a factor of e^epsilon.  Smaller is safer and noisier: `ctdhub rehearse` shows
# what each choice costs in error before anything is spent.  Usual is at most 2, and at most 1 from
# max_people 100000 on; more needs a reason below.
epsilon: 2.0

# Why epsilon or budget is higher than usual, in a sentence that readers will see: it is part of
# every release.  Empty where neither is.
reason: ""

# The chance that the promise does not hold as written.  At most 1e-6, and at most
# 1 / (100 × max_people), so that it stays negligible over everybody in the data.
delta: 1.0e-8

# More people than this hub will ever hold.  A public figure: do not count the data to set it.
max_people: 50000

# Share of the published intervals of a table that contain the true count.
level: 0.95

# At most this share of the cells shown in a table is expected to be empty in truth.
# Larger shows more small cells, smaller is more cautious.
false_share: 0.005

# How readily rare combinations are left out of the protected records: from 0, complete, to 4,
# cautious.  Cautious records make up fewer combinations that nobody had, and miss more that
# somebody had.  It does not change what is protected, nor the published counts.
support: 0

# Further tables of three or four columns that somebody needs, for example
# [[means_threats, means_false_promises, means_withholds_documents, gender]].
groups: []

# Sets of records for inference, with which researchers get right standard errors (about ten are
# enough; with 0 there are none).  They cost no epsilon.  Each takes about as many bytes in the
# release, and about as long to make, as the records.
imputations: 0

# Perpetrators whom case records mention.  `rows` is how many of one person count: a public bound,
# for noise grows with it; do not count the data to set it.  `share` is their part of a release's
# budget (of rho, in which costs add up).  With share: 0 they are not released.
perpetrators: {rows: 3, share: 0.05}

# Noisy counts by contributor and year, from which trends tell a changing world from changing
# contributors, and how the lists of contributors overlap, from which those whom no list knows are
# estimated.  Only contributors whose agreement has show_counts: true have counts of their own; all
# others are one, and where no agreement has it nothing is counted by contributor.  `lists` names,
# by their ids, 2 to 8 contributors whose people share keys; with [] no overlap is measured.  It is
# measured in the years that all of them cover.  `strata` may name variables, such as gender: then
# the overlap is counted by them too, for estimates within these groups.  `share` is their part of a
# release's budget (of rho); with share: 0 neither is released.
sources: {share: 0.05, lists: []}

# How many tokens of a person (`ctdhub tokens`) may join her with others, beside her key, so that
# who is spelt differently is found.  Noise grows with it: 1.4 times for 1, 2.2 times for 2.
# `people` is for rows of people, and so for all counts: auto is 1 where a mapping takes tokens, for
# else people of some languages count twice far more often than those of others, and 0 where none
# does.  `lists` is for the overlap of lists, where 2 is right if contributors send tokens.
# `known_to` is how many contributors one person may be known to under different keys: noise is for
# the rows that agreements allow at so many of them together (B rows, B times the noise).
linking: {people: auto, lists: 0, known_to: 1}

# What all releases together may cost (epsilon, at the smallest delta ever used).  When it is spent,
# the ledger refuses: earlier releases cannot be unpublished.  Usual is three times epsilon.  A
# quarter of it (`drafts`, in rho) is kept for answers that are never published.  Readers are shown
# the whole of it, used or not, so decide it before the first release.
budget: {epsilon: 6.0, drafts: 0.25}

# How a release's budget is divided between kinds of tables.  Only the proportions matter.
weights:
  people: 0.5       # the number of people
  one_way: 1        # each column alone
  corridor: 20      # citizenship by country of exploitation
  corridor_by: 8    # corridors by year, gender, age, type of exploitation and other core columns
  core_pairs: 1     # pairs of core columns (year, gender, age, exploitation, source)
  wide_pairs: 19    # a country by one core column
  core_triples: 25  # core columns by three
  wide_triples: 27  # a country by two core columns
  pairs: 20         # all other pairs of columns
  assistance: 10    # each kind of assistance by citizenship group, gender, age and country
  reports: 3        # what states report: country by year, citizenship group and gender
  groups: 5         # tables of up to four columns, where some were asked for
"""
