"""What is known of the fleet now, what is wrong with it, and who is told. Reads the ledger only."""
