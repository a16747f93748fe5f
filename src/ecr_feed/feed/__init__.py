"""One feed put together: its registry, reachability, access key and missing repositories."""
