"""What a feed needs, the three answers about each permission, what blocks it, and fixes."""
