"""What the problem is, its data, its evaluator and its exact mathematical programs."""
