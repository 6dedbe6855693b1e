"""The library: instances by measured difficulty, the best values known of each, and the proofs of these values."""
