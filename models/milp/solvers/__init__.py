"""One file for each MILP solver, the registry that names them, and what they share."""
