"""Improve a joint deployment: take out one or a few applications, put them back along other paths.

    improve(system, served, *, clock, seed=0, gamma=100, prices=None, moves=None, watch=None)
        -> list of (Group, list of Usage)

`served` holds for every group of the system the usages of its members that are served (at most `group.count`; it must
fit); what is returned has the same form, fits, leaves no more members of groups without a penalty unserved, and costs
no more. `prices` (shape (R,), W for a whole resource) are what congested resources are worth, such as the duals of a
master program; left out, they are estimated. `watch(seconds, objective)` is told of every better one.
"""
