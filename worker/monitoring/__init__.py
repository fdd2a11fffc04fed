"""The fleet now: what is known, what is wrong with it, who hears of it. Reads the ledger only."""
