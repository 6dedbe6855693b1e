"""The exact checker: deployments and proofs recomputed in rational arithmetic.

It uses the standard library and the problem's data, and nothing that a method uses: no method, no array library, no
solver. Whoever doubts a number of this suite can read these few files instead of all the others.
"""
