"""Headings under which `finbench --help` lists the commands, in their order."""

SOLVE = "Solve"
DEPLOY = "Deploy"
CAMPAIGNS = "Campaigns"
RESULTS = "Results"
DATA = "Data"
UPKEEP = "Upkeep"
