"""The parts of a plan as processes, joined by sockets that let through what the links of the plan do."""
