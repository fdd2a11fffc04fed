"""What one process reports to operators: JSON lines and latencies.

It observes jobs and never takes part in them.
"""
