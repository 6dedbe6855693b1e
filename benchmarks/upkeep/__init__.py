"""Upkeep of the suite itself: performance targets and the README's figures."""
