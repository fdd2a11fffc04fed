"""Documents read from the bytes of files: what a reader of each sees, and what is left out.

`program.py` runs in a child process with limits; nothing of this package but `files.py`, `found.py`
and `reading.py` is imported elsewhere.
"""
