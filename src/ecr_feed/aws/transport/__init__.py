"""Sessions, the read-only guard, clients, retries, failures and the call log."""
