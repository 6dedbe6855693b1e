"""`branch-price-and-cut`: branching over the master program of column generation, with cuts."""
