"""What a plan stands: drifting exits, higher rates, slower parts, failures; and what re-planning would save."""
