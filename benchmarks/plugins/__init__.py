"""Code from outside the suite: how it is found and loaded, here and in workers, and what it has registered."""
