"""Runs in processes of their own that a run cannot take down with it."""
