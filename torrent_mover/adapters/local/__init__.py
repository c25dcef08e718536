"""This machine's files and accounts."""
