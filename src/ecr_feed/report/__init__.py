"""Findings in, artefacts out: every view is made from one `record.Run`."""
