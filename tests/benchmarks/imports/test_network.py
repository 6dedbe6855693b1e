"""Networks that others have made are read by stated rules, or refused in one line."""

from __future__ import annotations

import json
import os
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import finbench as fb
from finbench.benchmarks.imports.asked import AskedNetwork, made_as_asked
from finbench.benchmarks.imports.speeds import speed_of
from finbench.models.instance import Network
from finbench.models.io import InputError


def made(source: object, **asked: object) -> Network:
    return made_as_asked(AskedNetwork(str(source), **asked)).network  # type: ignore[arg-type]


def graphml(tmp_path: Path, graph: Any, name: str = "net.graphml") -> Path:
    path = tmp_path / name
    nx.write_graphml(graph, path)
    return path


def two_cities(**of_link: object) -> Any:
    graph: Any = nx.MultiGraph()
    graph.add_node("0", label="Paris", Latitude=48.85, Longitude=2.35)
    graph.add_node("1", label="Rome", Latitude=41.9, Longitude=12.5)
    graph.add_edge("0", "1", **{"LinkSpeedRaw": 1e10, **of_link})
    return graph


def test_a_link_has_the_delay_of_light_in_fibre_over_the_great_circle(tmp_path: Path) -> None:
    network = made(graphml(tmp_path, two_cities()))
    lat_1, lon_1, lat_2, lon_2 = map(radians, (48.85, 2.35, 41.9, 12.5))
    h = sin((lat_2 - lat_1) / 2) ** 2 + cos(lat_1) * cos(lat_2) * sin((lon_2 - lon_1) / 2) ** 2
    by_hand = 1.5 * 2 * 6371.0088 * asin(sqrt(h)) / (299792.458 / 1.468)
    assert [link.delay_s for link in network.links] == pytest.approx([by_hand, by_hand], rel=1e-5)
    assert 0.007 < by_hand < 0.009  # 1,105 km
    straight = made(graphml(tmp_path, two_cities()), path_factor=1.0)
    assert straight.links[0].delay_s == pytest.approx(by_hand / 1.5, rel=1e-5)


def test_a_link_leads_both_ways_and_a_directed_edge_one(tmp_path: Path) -> None:
    both = made(graphml(tmp_path, two_cities()))
    assert set(both.link_by_pair) == {("Paris", "Rome"), ("Rome", "Paris")}
    one_way: Any = nx.MultiDiGraph(two_cities())
    one_way.remove_edge("1", "0")
    assert set(made(graphml(tmp_path, one_way)).link_by_pair) == {("Paris", "Rome")}


def test_bandwidths_of_parallel_links_are_added_and_the_provenance_says_so(tmp_path: Path) -> None:
    graph = two_cities()
    graph.add_edge("0", "1", LinkSpeedRaw=2.5e9)
    network = made(graphml(tmp_path, graph))
    assert network.link_by_pair["Rome", "Paris"].bandwidth_bit_per_s == 1.25e10
    assert "Parallel links of 1 pairs" in network.provenance


def test_repeated_names_are_numbered_loops_and_external_nodes_go(tmp_path: Path) -> None:
    graph = two_cities()
    graph.add_node("2", label="Paris", Latitude=48.9, Longitude=2.3)
    graph.add_node("3", label="Internet", Internal=0, Latitude=0.0, Longitude=0.0)
    graph.add_edge("2", "0", LinkSpeedRaw=1e9)
    graph.add_edge("2", "2", LinkSpeedRaw=1e9)
    graph.add_edge("3", "0", LinkSpeedRaw=1e9)
    network = made(graphml(tmp_path, graph))
    assert {node.name for node in network.nodes} == {"Paris 1", "Rome", "Paris 2"}
    assert len(network.links) == 4
    for said in ("1 external nodes left out", "1 links from a node to itself", "1 repeated names numbered"):
        assert said in network.provenance
    assert len(made(graphml(tmp_path, graph), external=True).nodes) == 4


def test_a_numbered_name_never_meets_one_that_is_there(tmp_path: Path) -> None:
    graph = two_cities()
    for key, label in (("2", "Paris"), ("3", "Paris 1")):
        graph.add_node(key, label=label, Latitude=0.0, Longitude=0.0)
        graph.add_edge(key, "0", LinkSpeedRaw=1e9)
    names = [node.name for node in made(graphml(tmp_path, graph)).nodes]
    assert len(set(names)) == 4
    assert "Paris 1" in names


def test_unconnected_parts_are_refused_or_the_largest_is_kept(tmp_path: Path) -> None:
    graph = two_cities()
    graph.add_node("9", label="Alone", Latitude=0.0, Longitude=0.0)
    path = graphml(tmp_path, graph)
    with pytest.raises(InputError, match="2 parts that no link joins; --largest-part"):
        made(path)
    kept = made(path, largest_part=True)
    assert len(kept.nodes) == 2
    assert "1 nodes outside the largest connected part" in kept.provenance


def test_a_missing_speed_is_refused_or_given(tmp_path: Path) -> None:
    path = graphml(tmp_path, two_cities(LinkSpeedRaw="", LinkLabel="< 10 Gbps"))
    with pytest.raises(InputError, match=r"link 'Paris->Rome': bandwidth: 2 of 2 links say none"):
        made(path)
    network = made(path, bandwidth="10 Gbit/s")
    assert network.links[0].bandwidth_bit_per_s == 1e10
    assert "Bandwidth of 2 links assumed: 1e+10 bit/s" in network.provenance


def test_a_missing_place_is_refused_or_its_delay_given(tmp_path: Path) -> None:
    graph = two_cities()
    graph.add_node("2", label="Somewhere")
    graph.add_edge("2", "0", LinkSpeedRaw=1e9)
    path = graphml(tmp_path, graph)
    with pytest.raises(InputError, match="node 'Somewhere' has no coordinates and the link no length"):
        made(path)
    assert made(path, delay="1 ms").link_by_pair["Somewhere", "Paris"].delay_s == 1e-3


@pytest.mark.parametrize(
    ("said", "speed"),
    [
        ({"LinkSpeedRaw": 45e6, "LinkLabel": "10 Gbps"}, 45e6),
        ({"LinkSpeed": "2.5", "LinkSpeedUnits": "G"}, 2.5e9),
        ({"LinkLabel": "OC-192"}, 192 * 51.84e6),
        ({"LinkLabel": "STM-16c (fibre)"}, 16 * 155.52e6),
        ({"LinkLabel": "45 Mbps ATM"}, 45e6),
        ({"LinkType": "E3"}, 34.368e6),
        ({"LinkLabel": "10Gbit/s"}, 1e10),
        ({"LinkLabel": "< 10 Gbps"}, None),
        ({"LinkLabel": "1-2.5 Gbps"}, None),
        ({"LinkLabel": "155 Mbps and 622 Mbps"}, None),
        ({"LinkSpeedRaw": 0, "LinkLabel": "Fibre"}, None),
        ({"LinkSpeedRaw": "inf"}, None),
        ({}, None),
    ],
)
def test_a_speed_is_what_the_link_says_or_nothing(said: dict[str, object], speed: float | None) -> None:
    assert speed_of(said) == (None if speed is None else pytest.approx(speed))


BOMB = '<!DOCTYPE g [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><graphml>&b;</graphml>'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (BOMB, "has a document type"),
        ('<!DOCTYPE g SYSTEM "file:///etc/passwd"><graphml/>', "has a document type"),
        ("<graphml>" + "<graph>" * 60, "nested too deeply"),
        ("<graphml><graph>" + "<node id='a'/>" * 20_001, "more than 20000 elements 'node'"),
        ("<html/>", "has no element 'graphml'"),
        ("<graphml><graph><node></graph></graphml>", "is not valid XML"),
        ("", "is not valid XML"),
        ("\x00\x01", "is not valid XML"),
        ("<graphml xmlns='http://graphml.graphdrawing.org/xmlns'/>", "is no GraphML that can be read"),
        (
            "<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='undirected'/></graphml>",
            "none is left to import",
        ),
    ],
)
def test_hostile_graphml_is_refused_in_one_line(tmp_path: Path, text: str, rule: str) -> None:
    path = tmp_path / "bad.graphml"
    path.write_text(text)
    with pytest.raises(InputError, match=rule) as caught:
        made(path)
    assert len(str(caught.value)) < 500


def test_a_file_that_is_too_large_or_no_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.graphml"
    with large.open("wb") as stream:
        stream.truncate(17 * 2**20)
    with pytest.raises(InputError, match="must have at most"):
        made(large)
    os.mkfifo(tmp_path / "pipe.graphml")
    with pytest.raises(InputError, match="is not a regular file"):
        made(tmp_path / "pipe.graphml")
    with pytest.raises(InputError, match="must end in"):
        made(tmp_path / "net.gml")


def tables(tmp_path: Path, nodes: str, links: str) -> dict[str, Path]:
    (tmp_path / "nodes.csv").write_text(nodes)
    (tmp_path / "links.csv").write_text(links)
    return {"source": tmp_path / "nodes.csv", "links": tmp_path / "links.csv"}


def test_two_tables_make_a_network_with_units(tmp_path: Path) -> None:
    network = made(
        **tables(
            tmp_path,
            "name,tier,compute_ops_per_s,power_w,memory_bytes\nphone,mobile,11 Gop/s,6,\nedge,edge,1.5e11,140 W,8 GB\n",
            "source,target,bandwidth_bit_per_s,delay_s,one_way\nphone,edge,25 Mbit/s,5 ms,yes\n",
        )
    )
    assert network.node_by_name["edge"].memory_bytes == 8e9
    assert network.node_by_name["phone"].compute_ops_per_s == 11e9
    assert set(network.link_by_pair) == {("phone", "edge")}
    assert network.links[0].bandwidth_bit_per_s == 25e6


@pytest.mark.parametrize(
    ("nodes", "links", "rule"),
    [
        ("name\n=1+1\n", "source,target\n", r"line 2: name = '=1\+1': must be a printable name"),
        ("name\n@SUM(A1)\n", "source,target\n", "like a formula"),
        ("name,tier\na,+cmd|x\n", "source,target\n", "tier = .*like a formula"),
        ("name,power_w\na,=1+1\n", "source,target\n", "power_w = '=1.1': must be a number, or a number and a unit"),
        ("name,power_w\na,nan\n", "source,target\n", "power_w"),
        ("name,colour\na,b\n", "source,target\n", "column 'colour': unknown"),
        ("tier\na\n", "source,target\n", "column 'name': is missing"),
        ("name,name\na,b\n", "source,target\n", "column 'name': stands twice"),
        ("name,latitude\na,3\n", "source,target\n", "latitude, longitude: both or neither"),
        ("name\na,b\n", "source,target\n", "line 2: has 2 cells: the header names 1 columns"),
        ("name\na\nb\n", "source,target\na,c\n", "'c': must be a node of the file"),
        ("name\na\nb\n", "source,target,one_way\na,b,maybe\n", "one_way = 'maybe': must be yes or no"),
        ("name\na\nb\n", "source,target,length_km,bandwidth_bit_per_s\na,b,-3,1e9\n", "length_km = -3: below 0"),
        ('name\n"a\n', "source,target\n", "is not valid CSV"),
        ("name\n" + "".join(f"a{k}\n" for k in range(20_001)), "source,target\n", "has more than 20000 rows"),
        ("name\na\na\nb\n", "source,target\na,b\n", "line 3: name = 'a': stands twice"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path: Path, nodes: str, links: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        made(**tables(tmp_path, nodes, links))


def test_devices_stand_at_every_node_or_around_it() -> None:
    at = fb.import_network("catalogue:geant2009", attach="raspberry-pi-4/tflite x 2")
    assert {(node.device, node.parallel) for node in at.nodes} == {("raspberry-pi-4/tflite", 2)}
    assert at.nodes[0].compute_ops_per_s == pytest.approx(8.1784e9 / 0.575256, rel=1e-4)
    around = fb.import_network(
        "catalogue:geant2009", attach="raspberry-pi-4 x 3", attach_link="lte-2012", attach_delay="20 ms"
    )
    assert len(around.nodes) == 34 * 4
    up, down = (around.link_by_pair[pair] for pair in (("FR/raspberry-pi-4 1", "FR"), ("FR", "FR/raspberry-pi-4 1")))
    assert (up.tx_energy_j_per_bit, up.bandwidth_bit_per_s, up.delay_s) == (438.39e-9, 6e6, 0.02)
    assert (down.rx_energy_j_per_bit, down.bandwidth_bit_per_s) == (51.97e-9, 13e6)


def test_a_file_says_which_devices_are_where(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(
        '[[devices]]\ndevice = "dell-xr12-a2"\nat = ["FR"]\n'
        '[[devices]]\ndevice = "raspberry-pi-4"\nat = ["FR", "IT"]\ncount = 2\nlink = "wifi-2012"\n'
        'bandwidth_bit_per_s = "50 Mbit/s"\n'
    )
    network = fb.import_network("catalogue:geant2009", devices=path)
    assert network.node_by_name["FR"].device == "dell-xr12-a2/tensorrt"
    assert len(network.nodes) == 34 + 4
    assert network.link_by_pair["IT/raspberry-pi-4 2", "IT"].bandwidth_bit_per_s == 50e6


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"attach": "toaster x 3"}, "the catalogue has no such entry"),
        ({"attach": "raspberry-pi-4/torch"}, "has no such runtime; runtimes: armnn-neon, tflite"),
        ({"attach": "raspberry-pi-4 x 999999999", "attach_link": "lte-2012"}, "less than or equal to 10000"),
        ({"attach": "raspberry-pi-4 x 9999", "attach_link": "lte-2012"}, "must be at most 100000"),
        ({"attach": "raspberry-pi-4 x -3"}, "must be a device and a number"),
        ({"attach": ("raspberry-pi-4", "raspberry-pi-4")}, "already computes"),
        ({"attach": "raspberry-pi-4", "attach_link": "wifi-2012"}, "no typical one"),
        ({"attach": "raspberry-pi-4", "attach_link": "string"}, "link = 'string': the catalogue has no such entry"),
        ({"attach": "raspberry-pi-4", "attach_delay": "1 ms"}, "only with link"),
        ({"bandwidth": "10 MHz"}, "--bandwidth: .*measures something else"),
        ({"delay": -1}, "--delay: .*at least 0"),
        ({"path_factor": 0.5}, "path_factor = 0.5"),
    ],
)
def test_what_cannot_be_attached_is_refused_in_one_line(asked: dict[str, object], rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        fb.import_network("catalogue:geant2009", **asked)  # type: ignore[arg-type]


def test_a_written_network_reads_back_equal(tmp_path: Path) -> None:
    from finbench.benchmarks.imports.part_files import part_text

    network = fb.import_network("catalogue:geant2009", attach="raspberry-pi-4 x 2")
    for suffix in (".toml", ".json"):
        path = tmp_path / f"net{suffix}"
        path.write_text(part_text(network, suffix))
        assert fb.import_network(path) == network


def test_every_topology_of_topohub_is_read() -> None:
    topohub = pytest.importorskip("topohub")
    folder = Path(topohub.__file__).parent / "data"
    files = [file for group in ("topozoo", "sndlib", "caida") for file in sorted((folder / group).rglob("*.json"))]
    assert len(files) >= 203 + 26 + 98
    for file in files[::4]:  # all of them take two seconds; the slow half reads all
        read_topohub_file(folder, file)


@pytest.mark.slow
def test_every_topology_of_topohub_is_read_without_exception() -> None:
    topohub = pytest.importorskip("topohub")
    folder = Path(topohub.__file__).parent / "data"
    for file in sorted(folder.rglob("*.json")):
        if file.relative_to(folder).parts[0] in ("topozoo", "sndlib", "caida"):
            read_topohub_file(folder, file)


def read_topohub_file(folder: Path, file: Path) -> None:
    name = file.relative_to(folder).with_suffix("").as_posix()
    said = json.loads(file.read_text())
    network = made(f"topohub:{name}", bandwidth="10 Gbit/s")
    assert len(network.nodes) == len(said["nodes"]), name
    assert len(network.links) == 2 * len({frozenset((e["source"], e["target"])) for e in said["edges"]}), name


def test_topohub_names_are_names_and_no_paths() -> None:
    pytest.importorskip("topohub")
    for name in ("../../../../etc/passwd", "/etc/passwd", "nothing/here", "", "a" * 5000):
        with pytest.raises(InputError, match="topohub"):
            made(f"topohub:{name}")
