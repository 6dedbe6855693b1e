"""A result judged: its costs by the evaluator, its contradictions, a comparison of methods."""
