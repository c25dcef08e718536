"""The questions before a run."""
