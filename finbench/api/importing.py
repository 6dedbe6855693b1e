"""Networks and models that others have made, as `Network` and `DNN` objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from finbench.models.instance import DNN, Network


def import_dnn(
    model: str | Path,
    *,
    name: str | None = None,
    blocks: int | None = None,
    cuts: Sequence[str] = (),
    exit_after: Sequence[str] = (),
    final: Sequence[str] = (),
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    bits: int | None = None,
    input_bits: int | None = None,
    count: str = "ops",
    exits: str | Path | None = None,
    setting: int = 1,
) -> DNN:
    """Return a model in ONNX as a DNN; its provenance says how its numbers came about, and which are placeholders.

    Parameters
    ----------
    model : str or Path
        The model's file; weights in files beside it are not read.
    name : str, optional
        Name of the DNN; left out: that of the file.
    blocks : int, optional
        Number of blocks; left out: up to 16, or as many as `cuts` make.
    cuts : sequence of str
        Tensors or operators after which a block must end.
    exit_after : sequence of str
        Tensors or operators after which an exit is added that the model does not have: a mean and a linear layer.
    final : sequence of str
        Outputs that are the last answer; left out: the one with the most work before it. The others are exits.
    input_shapes : mapping of str to sequence of int, optional
        Sizes of inputs that the model leaves open, by name; the name of the only input may be empty.
    bits, input_bits : {8, 16, 32}, optional
        Size [bit] of a floating-point number in a transfer and in the sample; left out: as the model stores it.
    count : {"ops", "macs"}
        A multiply-add is two operations, and every other operation one; or it is one, and the others count nothing.
    exits : str or Path, optional
        Table with the exits' shares and accuracies; left out: placeholders, which remarks name.
    setting : int
        Number (1-based) of the setting of that table.

    Returns
    -------
    DNN

    Raises
    ------
    InputError
        If the package `onnx` is not installed, the model cannot be read or counted, or what is asked for does not go
        with it.
    """
    from finbench.benchmarks.imports.exits.exit_profiles import load_exit_profiles, with_exits
    from finbench.benchmarks.imports.onnx.options import DnnRequest, count_of
    from finbench.benchmarks.imports.onnx.profile import analysed, dnn_of

    table = None if exits is None else load_exit_profiles(Path(exits))
    asked = DnnRequest(
        name=name,
        blocks=blocks,
        cuts=tuple(cuts),
        exit_after=tuple(exit_after),
        final=tuple(final),
        input_shapes={each: tuple(shape) for each, shape in (input_shapes or {}).items()},
        bits=bits,
        input_bits=input_bits,
        count=count_of(count),
    )
    made = dnn_of(analysed(Path(model), asked), asked)
    return made if table is None else with_exits(made, table, str(exits), setting)[0]


def import_network(
    source: str | Path,
    *,
    links: str | Path | None = None,
    bandwidth: float | str | None = None,
    delay: float | str | None = None,
    path_factor: float = 1.5,
    link: str = "core-router",
    external: bool = False,
    largest_part: bool = False,
    devices: str | Path | None = None,
    attach: str | tuple[str, ...] = (),
    attach_link: str | None = None,
    attach_bandwidth: float | str | None = None,
    attach_delay: float | str | None = None,
) -> Network:
    """Return a network that others have made; its provenance says what was assumed.

    Parameters
    ----------
    source : str or Path
        A GraphML file, a CSV table of nodes, a network file, `topohub:NAME`, or `catalogue:NAME`.
    links : str or Path, optional
        The CSV table of links, beside a table of nodes.
    bandwidth : float or str, optional
        Bandwidth [bit/s] of links whose source says none, or a text such as "10 Gbit/s"; left out: they are refused.
    delay : float or str, optional
        Delay [s] of links of unknown length, or a text such as "1 ms"; left out: they are refused.
    path_factor : float
        Length of a cable over the great circle between its ends, in [1, 10].
    link : str
        Kind of links of the catalogue, for Joules per bit that the source does not say.
    external : bool
        Keep nodes of other networks.
    largest_part : bool
        Of several unconnected parts keep the largest; otherwise they are refused.
    devices : str or Path, optional
        File that says which devices are at or around which nodes.
    attach : str or tuple of str
        Devices for every node, such as "raspberry-pi-4 x 3".
    attach_link : str, optional
        Kind of the links that join attached devices to their node; left out: the node is the device.
    attach_bandwidth, attach_delay : float or str, optional
        Bandwidth [bit/s] and delay [s] of these links.

    Returns
    -------
    Network

    Raises
    ------
    InputError
        If the source cannot be read, or the rules refuse what it says.

    Examples
    --------
    >>> import finbench as fb
    >>> len(fb.import_network("catalogue:geant2009", attach="raspberry-pi-4").nodes)
    34
    """
    from finbench.benchmarks.imports.asked import AskedNetwork, made_as_asked

    asked = AskedNetwork(
        source=str(source),
        links=None if links is None else Path(links),
        bandwidth=bandwidth,
        delay=delay,
        path_factor=path_factor,
        link=link,
        external=external,
        largest_part=largest_part,
        devices=None if devices is None else Path(devices),
        attach=(attach,) if isinstance(attach, str) else tuple(attach),
        attach_link=attach_link,
        attach_bandwidth=attach_bandwidth,
        attach_delay=attach_delay,
    )
    return made_as_asked(asked).network
