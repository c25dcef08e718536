"""The rim: each file makes one port real with one library or program."""
