"""The language a producer and a worker share: messages, errors, names and what both say to the
ledger.

Made of pydantic and the standard library; it must never import celery, redis, an SDK or the rest of
either package.
"""
