"""What an overview says of each duty: one module a duty, from its picture alone."""
