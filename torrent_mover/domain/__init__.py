"""Pure values and decisions: no input or output, no threads, no clock of its own."""
