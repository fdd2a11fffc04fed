"""What is known of the fleet now, what is wrong with it, and who hears of it. Reads the ledger only."""
