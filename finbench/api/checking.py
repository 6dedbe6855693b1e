"""What in an instance is probably a mistake."""

from __future__ import annotations

from finbench.models.instance import Instance


def check(instance: Instance) -> tuple[str, ...]:
    """Return what breaks no rule and yet is probably a mistake, one line each, with object, field and value.

    Parameters
    ----------
    instance : Instance

    Returns
    -------
    tuple of str
        Empty where nothing is to remark; of many alike the first, with their number.

    Examples
    --------
    >>> import finbench as fb
    >>> fb.check(fb.load("balexnet-cifar10"))
    ()
    """
    from finbench.benchmarks.judging.checked import checked

    return checked(instance).lines
