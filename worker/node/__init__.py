"""Celery's node, the process: how it recovers jobs, how it stops, and what its flags mean."""
