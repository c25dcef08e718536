"""The screen of debrid accounts: what failed or died, what would be done and why not, repairs, retries, links set aside."""
