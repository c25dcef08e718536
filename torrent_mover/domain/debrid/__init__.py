"""Debrid services: what an account holds and answers, and what is decided of it."""
