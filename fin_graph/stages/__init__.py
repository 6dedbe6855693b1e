"""FIN's three stages as explicit graphs that a person can inspect, and their picture."""
