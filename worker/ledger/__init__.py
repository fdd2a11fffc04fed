"""The ledger as a worker uses it: its connection, keys and scripts, and the jobs this process runs."""
