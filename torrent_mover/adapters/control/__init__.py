"""The control socket: what runs, looked at and steered from other processes of the same user."""
