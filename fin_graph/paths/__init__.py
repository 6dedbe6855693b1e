"""One application as a path problem on arrays, and the searches on it: shortest paths, replicas, labels, bounds."""
