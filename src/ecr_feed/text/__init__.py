"""Text, times, counts and files: what every room writes and reads them with."""
