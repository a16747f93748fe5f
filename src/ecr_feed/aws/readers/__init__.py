"""The calls that read an account: one module for each kind of fact."""
