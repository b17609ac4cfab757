"""From people to protected counts and records, paid for in the ledger."""
