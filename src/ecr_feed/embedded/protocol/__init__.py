"""The wire protocols of the AWS services, as the embedded account speaks them."""
