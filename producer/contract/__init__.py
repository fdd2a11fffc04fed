"""What producers and workers share: requests, completions, errors, names and the ledger's
functions.

Made of pydantic and the standard library. It never imports Celery, redis-py, an SDK or the rest of
either package.
"""
