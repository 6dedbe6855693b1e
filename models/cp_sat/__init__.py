"""The placement as an integer program for OR-Tools CP-SAT, solved in a process of its own."""
