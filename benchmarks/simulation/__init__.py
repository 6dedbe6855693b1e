"""What a plan meets: samples that arrive at random, wait for each other, and leave at their exits."""
