"""The AWS protocols: HTTP messages, operations, signatures, parameters."""
