"""This process: who runs it, its streams and limits, and the programs that it starts."""
