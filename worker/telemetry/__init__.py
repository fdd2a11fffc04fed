"""What the fleet tells its operators: JSON lines and latencies. It watches jobs and never takes
part in them.
"""
