"""Networks that others have made, for `Network` objects."""

from __future__ import annotations

from pathlib import Path

from finbench.models.instance import Network


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
