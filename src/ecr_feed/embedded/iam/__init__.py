"""IAM's API: state (in moto), operations, the policy simulator."""
