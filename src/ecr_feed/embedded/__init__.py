"""An AWS account in this process that answers as AWS would: see docs/embedded.md."""
