"""The ledger as a worker uses it: its connection, its calls, and the jobs of this process."""
