"""The command that imports a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finbench.benchmarks.analysis.numbers import plural
from finbench.benchmarks.cli.options import output_option
from finbench.benchmarks.terminal import console


def network(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="A .graphml file, a .csv of nodes, topohub:NAME, catalogue:NAME."),
    ],
    output: Annotated[Path, output_option("Write the network here (.toml or .json).", ".toml", ".json")],
    links: Annotated[Path | None, typer.Option(help="The .csv of links, beside one of nodes.")] = None,
    bandwidth: Annotated[
        str | None, typer.Option(help='Bandwidth of links that say none, such as "10 Gbit/s"; left out: refuse.')
    ] = None,
    delay: Annotated[
        str | None, typer.Option(help='Delay of links of unknown length, such as "1 ms"; left out: refuse.')
    ] = None,
    path_factor: Annotated[
        float, typer.Option(min=1, max=10, help="Length of a cable over the great circle between its ends.")
    ] = 1.5,
    link: Annotated[
        str, typer.Option(help="Kind of links (catalogue) whose Joules per bit those have that say none.")
    ] = "core-router",
    external: Annotated[bool, typer.Option("--external", help="Keep nodes of other networks.")] = False,
    largest_part: Annotated[
        bool, typer.Option("--largest-part", help="Of unconnected parts keep the largest; left out: refuse.")
    ] = False,
    devices: Annotated[
        Path | None, typer.Option(help="A .toml file that says which devices are at or around which nodes.")
    ] = None,
    attach: Annotated[
        list[str] | None,
        typer.Option(help='Devices for every node, such as "raspberry-pi-4 x 3" (repeatable).'),
    ] = None,
    attach_link: Annotated[
        str | None,
        typer.Option(help="Kind of links that join attached devices to nodes; left out: the node is the device."),
    ] = None,
    attach_bandwidth: Annotated[
        str | None, typer.Option(help="Bandwidth of these links; left out: that of their kind.")
    ] = None,
    attach_delay: Annotated[str | None, typer.Option(help="Delay of these links.")] = None,
) -> None:
    """Read a network: GraphML (Topology Zoo, networkx), two CSV tables, topohub, or the catalogue.

    Bandwidths of parallel links are added; links to itself and nodes of other networks go; repeated names are
    numbered. Delays follow from lengths, or from coordinates: light in fibre over the great circle times the path
    factor. What was assumed is printed, and stands in the file's provenance.

    Example: [bold]finbench import network zoo.graphml --bandwidth "10 Gbit/s" -o zoo.toml[/bold]

    Example: [bold]finbench import network catalogue:geant2009 --attach raspberry-pi-4 -o geant.toml[/bold]

    Example: [bold]finbench import network nodes.csv --links links.csv -o mine.toml[/bold]
    """
    from finbench.benchmarks.imports.asked import AskedNetwork, made_as_asked
    from finbench.benchmarks.imports.part_files import write_part

    asked = AskedNetwork(
        source=source,
        links=links,
        bandwidth=bandwidth,
        delay=delay,
        path_factor=path_factor,
        link=link,
        external=external,
        largest_part=largest_part,
        devices=devices,
        attach=tuple(attach or ()),
        attach_link=attach_link,
        attach_bandwidth=attach_bandwidth,
        attach_delay=attach_delay,
    )
    made = made_as_asked(asked)
    write_part(made.network, output)
    nodes, ways = made.network.nodes, made.network.links
    computing = sum(node.compute_ops_per_s is not None or node.device is not None for node in nodes)
    size = f"{len(nodes)} {plural(len(nodes), 'node')}, {len(ways)} directed {plural(len(ways), 'link')}"
    print(f"{made.network.name}: {size}, {computing} {'computes' if computing == 1 else 'compute'}")
    for sentence in made.assumed:
        print(sentence)
    console.print_written(output)
