"""From a plan to running parts: models are cut where a deployment does, and their parts run."""
