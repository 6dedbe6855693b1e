"""Runs in processes of their own, so that a run that fails ends neither the campaign nor other runs."""
