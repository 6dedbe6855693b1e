"""FIN, the feasible-inference-graph heuristic, and its relatives on graphs: bounds, baselines, exact label setting."""
