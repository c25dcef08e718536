"""Builds what the loops of health work with, from their settings."""
