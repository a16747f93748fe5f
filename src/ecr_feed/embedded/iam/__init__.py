"""IAM and its neighbours: state, operations, evaluation of callers."""
