"""What the command's exit codes mean."""

FOUND = 0
UNEXPECTED = 1
BAD_INPUT = 2
INFEASIBLE = 3
NOTHING_FOUND = 4
CONTRADICTED = 5
PIPE_CLOSED = 128 + 13
"""Exit code after a closed pipe: the one that a shell reports for a process that SIGPIPE has ended."""
