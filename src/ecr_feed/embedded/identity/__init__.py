"""Who calls the embedded account, and what they may do."""
