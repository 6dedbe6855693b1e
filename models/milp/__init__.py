"""Exact mixed-integer programs of the problem in Pyomo, and the solvers."""
