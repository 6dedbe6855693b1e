"""Column generation: Dantzig-Wolfe master, pricing, relaxation, listing of columns, whole-number solutions."""
