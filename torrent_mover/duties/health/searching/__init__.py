"""Searches: what the Arr is asked to search for, in which order, and within which budget."""
