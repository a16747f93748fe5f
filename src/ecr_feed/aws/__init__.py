"""The only AWS calls of the suite: clients, reads and classified failures."""
