"""Where the journal lives."""
