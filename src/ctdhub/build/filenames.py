"""Names of the files and folders that stages leave behind in ``work/`` for those after them."""

RECORDS, TOKENS, CASES = "records.parquet", "tokens.parquet", "cases.parquet"
NO_RECORD, BIRTHS = "no_record.parquet", "births.parquet"
"""Tables of a harmonised file."""

PERPETRATORS, REJECTS = "perpetrators.parquet", "rejects.csv"
REPORT, PEOPLE, OVERLAP = "report.json", "people.parquet", "overlap.json"
CONFLICTS = "conflicts.parquet"
DELIVERED = "deliveries.json"

ANSWER = "answer.json"
"""What a stage made, where that lies elsewhere: a charge in the ledger, a bundle."""

CANDIDATE = "candidate"
"""The folder that says which bundle holds the answer about today's people."""
