"""What the exact programs (MILP, CP-SAT) share: coefficients, decisions by number, reductions, starts, admission."""
