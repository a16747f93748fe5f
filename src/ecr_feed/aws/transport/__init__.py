"""Sessions, the read-only guard, clients, retries, errors and the call log."""
