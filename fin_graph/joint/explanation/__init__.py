"""Why nothing fits, what would make it fit, and what more of each resource is worth."""
