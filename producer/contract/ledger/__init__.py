"""The ledger as both sides speak to it: its keys, the functions it runs on the server, and the
calls of them with named arguments and replies. Nothing here imports redis.
"""
