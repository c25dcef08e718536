"""What the command line can do, one command a file: each takes parsed arguments and returns an exit code."""
