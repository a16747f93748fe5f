"""Gate, waivers and baseline: which findings fail a run."""
