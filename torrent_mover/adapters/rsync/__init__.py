"""The rsync program."""
