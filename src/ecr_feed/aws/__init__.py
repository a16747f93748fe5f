"""The only AWS calls of the suite: every client, every read, every classified failure."""
