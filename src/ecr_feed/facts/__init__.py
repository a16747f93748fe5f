"""What was read, as frozen records."""
