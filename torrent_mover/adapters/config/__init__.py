"""Config files, tracker rules, and the secrets that do not stand in them."""
