"""Names of the files and folders that stages leave behind in ``work/`` for those after them."""

RECORDS, TOKENS, CASES = "records.parquet", "tokens.parquet", "cases.parquet"
NO_RECORD, BIRTHS = "no_record.parquet", "births.parquet"
"""Tables of a harmonised file."""

PERPETRATORS, REJECTS = "perpetrators.parquet", "rejects.csv"
TEXTS, UNKNOWN_TEXTS = "texts.json", "unknown-texts.csv"
"""What the texts of a file are, and those that no rule can read: texts of case records."""

REPORT, PEOPLE, OVERLAP = "report.json", "people.parquet", "overlap.json"
ALARMS = "alarms.json"
CONFLICTS = "conflicts.parquet"
DELIVERED = "deliveries.json"

ANSWER = "answer.json"
"""What a stage made, where that lies elsewhere: a charge in the ledger, a bundle."""

CANDIDATE = "candidate"
"""The folder that says which bundle holds the answer about today's people."""
