"""The worker: takes jobs from the broker, answers them through the provider chain, settles them in
the ledger.
"""
