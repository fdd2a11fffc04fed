"""The audit log: written by workers, read by whoever has a reason and the private key."""
