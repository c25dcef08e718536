"""Every setting, its default and its text."""
