"""Accounts at debrid services over their web APIs."""
