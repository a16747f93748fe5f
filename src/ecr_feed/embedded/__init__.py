"""An AWS account simulated in this process: see docs/embedded.md."""
