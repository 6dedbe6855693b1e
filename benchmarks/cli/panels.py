"""Headings under which `finbench --help` lists the commands, in their order."""

SOLVE = "Solve"
CAMPAIGNS = "Campaigns"
RESULTS = "Results"
DATA = "Data"
UPKEEP = "Upkeep"
