"""Instances: read, generated, written; and what a deployment really costs."""

from __future__ import annotations

from pathlib import Path

from finbench.benchmarks.library.named import load_named
from finbench.models.deployment import Deployment
from finbench.models.evaluate import Evaluation
from finbench.models.evaluate import evaluate as evaluate_deployment
from finbench.models.instance import Instance
from finbench.models.io import InputError, dump_deployment, dump_instance, write_text


def load(name_or_path: str | Path) -> Instance:
    """Read an instance by its shipped name, its name in the library, or from a TOML or JSON file.

    Parameters
    ----------
    name_or_path : str or Path
        A name that `finbench instances` lists, `library:` and one that `finbench library list` lists, or a file.

    Returns
    -------
    Instance

    Raises
    ------
    InputError
        If the file, or one it refers to, cannot be read or breaks a rule.

    Examples
    --------
    >>> import finbench as fb
    >>> len(fb.load("balexnet-cifar10").network.nodes)
    3
    """
    return load_named(name_or_path)


def evaluate(instance: Instance, deployment: Deployment) -> Evaluation:
    """Compute what a deployment costs and every rule that it breaks, independently of all methods.

    Parameters
    ----------
    instance : Instance
    deployment : Deployment

    Returns
    -------
    Evaluation
        Energy [J], latency [s] and accuracy of every application, the objective (eq. 3), and the violations.
    """
    return evaluate_deployment(instance, deployment)


def generate(
    family: str,
    *,
    nodes: int,
    blocks: int | None = None,
    exits: int | None = None,
    tightness: float | None = None,
    applications: int | None = None,
    load: float | None = None,
    penalty: float | None = None,
    shares: tuple[float, ...] | None = None,
    dnns: str | None = None,
    settings: str | tuple[str, ...] = (),
    seed: int = 0,
) -> Instance:
    """Draw an instance of a family; equal arguments give equal instances, byte for byte.

    Parameters
    ----------
    family : str
        A family that `finbench generate` knows, or that a plugin brings.
    nodes : int
        Nodes of the network.
    blocks, exits : int, optional
        Families of one application: blocks and exits of the DNN; both required there.
    tightness : float, optional
        Where latency targets lie. Families of one application: between least latency (0) and least energy (1), in
        (0, 1]; left out: 0.5. Families of many: from the quickest split (0) to the most frugal one (1) and beyond; left
        out: drawn for each.
    applications : int, optional
        Families of many applications: how many share the network; required there.
    load : float, optional
        Families of many applications: how full the fullest resource is, 1 is full; left out: 0.7.
    penalty : float, optional
        Families of many applications: rejecting one costs this many times its least power; left out: none may be
        rejected.
    shares : tuple of float, optional
        Families of many applications: compute shares that edge servers reserve; left out: nothing is reserved.
    dnns : {"published", "catalogue"}, optional
        `zoo` and `melbourne`: which DNNs the applications run; left out: the published ones with early exits.
    settings : str or tuple of str
        Parameters of the family to set, such as `edge.compute_ops_per_s=1e11..5e11` (`finbench families`).
    seed : int

    Returns
    -------
    Instance

    Raises
    ------
    InputError
        If there is no such family, or an argument is missing, out of range, or none that the family takes.

    Examples
    --------
    >>> import finbench as fb
    >>> fb.generate("tiered", nodes=5, blocks=4, exits=2, seed=1).name
    'tiered-n5-l4-e2-t0.5-s1'
    """
    from finbench.benchmarks import families

    of_one: dict[str, object] = {"blocks": blocks, "exits": exits, "tightness": tightness}
    of_many: dict[str, object] = {"applications": applications, "load": load, "tightness": tightness}
    of_many |= {"penalty": penalty, "shares": shares, "dnns": dnns}
    single = isinstance(families.find_family(family), families.Family)
    own, other, needed = (of_one, of_many, ("blocks", "exits")) if single else (of_many, of_one, ("applications",))
    for name, value in other.items():
        if value is not None and name not in own:
            raise InputError(f"family '{family}'", f"{name} = {value}: this family takes {', '.join(own)}")
    for name in needed:
        if own[name] is None:
            raise InputError(f"family '{family}'", f"{name}: required for this family")
    make = families.generate if single else families.generate_shared
    try:
        given = {name: value for name, value in own.items() if value is not None}
        texts = (settings,) if isinstance(settings, str) else tuple(settings)
        return make(family, nodes=nodes, seed=seed, settings=texts, **given)  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(f"family '{family}'", str(error)) from None


def save(thing: Instance | Deployment, path: str | Path) -> None:
    """Write an instance or a deployment to a JSON file, whole or not at all.

    Parameters
    ----------
    thing : Instance or Deployment
    path : str or Path

    Raises
    ------
    InputError
        If the name does not end in `.json`, or the file cannot be written.
    """
    if Path(path).suffix != ".json":
        raise InputError(path, "file name must end in .json")
    write_text(path, dump_instance(thing) if isinstance(thing, Instance) else dump_deployment(thing))
