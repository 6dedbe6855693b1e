"""What the rows of a campaign say: frames, aggregates, statistics, growth, trajectories, claims, tables."""
