"""This process: who runs it, what it stands on, and the programs that it starts."""
