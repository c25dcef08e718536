"""Ways to bring bytes: each a strategy over the ports."""
