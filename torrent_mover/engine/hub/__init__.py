"""What exists once a process: who listens, and one listing of each client for all who wait."""
