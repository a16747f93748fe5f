"""One feed put together: registry, reachability, access key, missing repositories."""
