"""The embedded account: its state, regions, organisation and faults."""
