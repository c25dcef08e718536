"""Plain lines for cron, screen, pipes and journals."""
