"""Instance documents that break one rule each, with what the error line must name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

SOUND: Document = {
    "schema_version": 2,
    "name": "small",
    "network": {
        "name": "net",
        "nodes": [
            {"name": "device", "compute_ops_per_s": 1e9, "power_w": 5.0},
            {"name": "edge", "compute_ops_per_s": 1e10, "power_w": 50.0},
        ],
        "links": [
            {
                "source": "device",
                "target": "edge",
                "bandwidth_bit_per_s": 1e9,
                "tx_energy_j_per_bit": 1e-9,
                "rx_energy_j_per_bit": 1e-9,
            }
        ],
    },
    "dnns": [
        {
            "name": "dnn",
            "input_bits": 100.0,
            "blocks": [{"ops": 1e6, "output_bits": 1000.0}, {"ops": 1e6, "output_bits": 0.0}],
            "exits": [
                {"after_block": 1, "exit_fraction": 0.6, "accuracy": 0.7},
                {"after_block": 2, "exit_fraction": 0.4, "accuracy": 0.9},
            ],
        }
    ],
    "applications": [
        {
            "name": "app",
            "dnn": "dnn",
            "source": "device",
            "max_latency_s": 0.01,
            "min_accuracy": 0.8,
            "pinned": {"1": "device"},
        }
    ],
}
"""A document without a fault; `device` then `edge` is feasible."""


def broken(change: Callable[[Document], Any]) -> Document:
    """A copy of `SOUND` after `change`."""
    document = copy.deepcopy(SOUND)
    change(document)
    return document


def put(*path: str | int, value: Any) -> Callable[[Document], None]:
    """Set one value, deep inside."""

    def change(document: Document) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Document], None]:
    """Remove one value, deep inside."""

    def change(document: Document) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def repeat(*path: str | int) -> Callable[[Document], None]:
    """Write the first item of a list twice."""

    def change(document: Document) -> None:
        place: Any = document
        for step in path:
            place = place[step]
        place.append(copy.deepcopy(place[0]))

    return change


SHORT = {
    "name": "short",
    "input_bits": 100.0,
    "blocks": [{"ops": 2e6, "output_bits": 0.0}],
    "exits": [{"after_block": 1, "exit_fraction": 1.0, "accuracy": 0.9}],
}
"""Another DNN for the task of `SOUND`'s."""


def runs(names: Any) -> Callable[[Document], None]:
    """Let the application run one of several DNNs, of which `short` is one that the document then has."""

    def change(document: Document) -> None:
        document["dnns"].append(copy.deepcopy(SHORT))
        del document["applications"][0]["dnn"]
        document["applications"][0]["dnns"] = names

    return change


def both(*changes: Callable[[Document], Any]) -> Callable[[Document], None]:
    """Make several changes."""

    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


BOARD = {"name": "board", "measured": {"dnn": {"1": {"time_s": 1.0}}}}
HEAVY = {"ops": 1.0, "output_bits": 1.0, "parameter_bytes": 1e308}
NODE, LINK, DNN, APP = ("network", "nodes", 0), ("network", "links", 0), ("dnns", 0), ("applications", 0)

BAD_DOCUMENTS: dict[str, tuple[Document, list[str]]] = {
    name: (broken(change), named)
    for name, change, named in (
        ("unknown field", put("colour", value="red"), ["colour", "unknown field"]),
        (
            "unknown field of a node",
            put(*NODE, "power", value=1.0),
            ["node 'device'", "power", "did you mean 'power_w'"],
        ),
        (
            "unknown field of an exit",
            put(*DNN, "exits", 1, "acuracy", value=1.0),
            ["exit 2", "did you mean 'accuracy'"],
        ),
        ("missing unit field", drop(*NODE, "power_w"), ["node 'device'", "power_w", "missing"]),
        ("missing field of a link", drop(*LINK, "bandwidth_bit_per_s"), ["link 'device->edge'", "bandwidth_bit_per_s"]),
        ("missing network", drop("network"), ["network", "missing"]),
        ("missing name", drop("name"), ["name", "missing"]),
        (
            "negative number",
            put(*NODE, "power_w", value=-6.0),
            ["node 'device'", "power_w = -6.0", "greater than or equal"],
        ),
        ("zero rate", put(*NODE, "compute_ops_per_s", value=0.0), ["compute_ops_per_s = 0.0", "greater than 0"]),
        ("not a number", put(*NODE, "power_w", value=float("nan")), ["power_w = nan", "finite"]),
        ("infinite number", put(*LINK, "delay_s", value=float("inf")), ["delay_s = inf", "finite"]),
        ("integer beyond floats", put(*NODE, "power_w", value=10**400), ["node 'device'", "power_w"]),
        ("boolean for a number", put(*NODE, "power_w", value=True), ["power_w = True", "number"]),
        ("text for a number", put(*NODE, "power_w", value="6"), ["power_w = '6'", "number"]),
        ("null for a number", put(*NODE, "power_w", value=None), ["power_w = None", "number"]),
        ("fractional block index", put(*DNN, "exits", 0, "after_block", value=1.5), ["exit 1", "after_block = 1.5"]),
        ("number for a name", put("name", value=7), ["name = 7"]),
        ("empty name", put("name", value=""), ["name = ''"]),
        ("line break in a name", put("name", value="a\nb"), ["name"]),
        ("escape of 8 bits in a name", put(*NODE, "name", value="a\x9b31m"), ["name", "pattern"]),
        ("escape in a tier", put(*NODE, "tier", value="\x1b[31m"), ["node 'device'", "tier", "pattern"]),
        ("escape of 8 bits in a block's name", put(*DNN, "blocks", 0, "name", value="\x9b"), ["block 1", "name"]),
        ("line break in an exit's name", put(*DNN, "exits", 0, "name", value="a\nb"), ["exit 1", "name"]),
        (
            "energy beyond floats",
            put(*DNN, "blocks", 0, "ops", value=1e308),
            ["application 'app'", "energy", "1.8e+308"],
        ),
        ("target beyond floats", put(*APP, "max_latency_s", value=1.7e308), ["application 'app'", "latency"]),
        ("latency beyond floats", put(*LINK, "bandwidth_bit_per_s", value=1e-308), ["application 'app'", "latency"]),
        ("memory beyond floats", put(*DNN, "blocks", value=[HEAVY] * 2), ["application 'app'", "load"]),
        ("table for a list", put("network", "nodes", value={}), ["nodes"]),
        ("list for a table", put("network", value=[]), ["network", "a list"]),
        ("no nodes", put("network", "nodes", value=[]), ["nodes"]),
        ("no blocks", put(*DNN, "blocks", value=[]), ["blocks"]),
        ("no applications", put("applications", value=[]), ["applications"]),
        (
            "unknown node in a link",
            put(*LINK, "target", value="moon"),
            ["link 'device->moon'", "target = 'moon'", "node"],
        ),
        ("link to itself", put(*LINK, "target", value="device"), ["link 'device->device'", "two different nodes"]),
        ("duplicate link", repeat("network", "links"), ["link 'device->edge'", "duplicate"]),
        ("duplicate node", repeat("network", "nodes"), ["node 'device'", "name", "duplicate"]),
        ("duplicate dnn", repeat("dnns"), ["dnn 'dnn'", "duplicate"]),
        ("duplicate application", repeat("applications"), ["application 'app'", "duplicate"]),
        ("exit after no block", put(*DNN, "exits", 1, "after_block", value=9), ["exit 2", "after_block = 9", "exists"]),
        ("exit after block 0", put(*DNN, "exits", 0, "after_block", value=0), ["exit 1", "after_block = 0"]),
        ("exits out of order", put(*DNN, "exits", 0, "after_block", value=2), ["exit 2", "after_block = 2"]),
        ("no final exit", drop(*DNN, "exits", 1), ["exit 1", "last exit"]),
        ("shares short of 1", put(*DNN, "exits", 0, "exit_fraction", value=0.5), ["exit_fraction", "0.9", "sum to 1"]),
        ("accuracy above 1", put(*DNN, "exits", 0, "accuracy", value=70.0), ["exit 1", "accuracy = 70.0", "less than"]),
        (
            "accuracy target above 1",
            put(*APP, "min_accuracy", value=80.0),
            ["application 'app'", "min_accuracy = 80.0"],
        ),
        (
            "pin to an unknown node",
            put(*APP, "pinned", value={"1": "moon"}),
            ["application 'app'", "pinned.1", "'moon'"],
        ),
        ("pin of a block that is none", put(*APP, "pinned", value={"3": "edge"}), ["application 'app'", "pinned = 3"]),
        ("pin of no index", put(*APP, "pinned", value={"first": "edge"}), ["pinned"]),
        ("unknown source", put(*APP, "source", value="moon"), ["application 'app'", "source = 'moon'"]),
        ("unknown dnn", put(*APP, "dnn", value="moon"), ["application 'app'", "dnn = 'moon'"]),
        ("no dnn", drop(*APP, "dnn"), ["application 'app'", "dnn: required field is missing"]),
        ("dnn and alternatives", put(*APP, "dnns", value=["dnn"]), ["application 'app'", "dnns", "'dnn' already"]),
        ("no alternative", runs([]), ["application 'app'", "dnns", "at least 1"]),
        ("an alternative twice", runs(["dnn", "dnn"]), ["application 'app'", "alternative 'dnn'", "duplicate"]),
        ("unknown alternative", runs(["dnn", "moon"]), ["application 'app'", "dnns = 'moon'", "DNN of the instance"]),
        ("alternatives as a text", runs("dnn"), ["application 'app'", "dnns"]),
        ("null for an alternative", runs(["dnn", None]), ["application 'app'", "dnns", "None"]),
        (
            "pin of a block that an alternative lacks",
            both(runs(["dnn", "short"]), put(*APP, "pinned", value={"2": "edge"})),
            ["application 'app'", "pinned = 2", "every alternative has (1..1)"],
        ),
        (
            "permission for a block that an alternative lacks",
            both(runs(["dnn", "short"]), put(*APP, "allowed", value={"2": ["edge"]})),
            ["application 'app'", "allowed = 2", "every alternative has (1..1)"],
        ),
        ("no share", put(*NODE, "compute_shares", value=[]), ["node 'device'", "compute_shares"]),
        (
            "share of nothing",
            put(*NODE, "compute_shares", value=[0.0, 1.0]),
            ["compute_shares[1] = 0.0", "greater than 0"],
        ),
        ("share above 1", put(*NODE, "compute_shares", value=[0.5, 1.5]), ["compute_shares[2] = 1.5", "less than"]),
        (
            "shares out of order",
            put(*NODE, "compute_shares", value=[0.5, 0.25]),
            ["node 'device'", "compute_shares = 0.25", "greater than the share before it (0.5)"],
        ),
        ("share twice", put(*NODE, "compute_shares", value=[0.5, 0.5]), ["compute_shares = 0.5", "greater than"]),
        ("one number for a menu", put(*NODE, "compute_shares", value=0.5), ["node 'device'", "compute_shares = 0.5"]),
        (
            "negative penalty",
            put(*APP, "rejection_penalty_w", value=-1.0),
            ["application 'app'", "rejection_penalty_w = -1.0"],
        ),
        (
            "penalty without a rate",
            put(*APP, "rejection_penalty_w", value=1.0),
            ["application 'app'", "rate_per_s", "required", "rejection_penalty_w"],
        ),
        (
            "device's name of control characters",
            put(*NODE, "device", value="\x1b[31m"),
            ["node 'device'", "device", "pattern"],
        ),
        ("no execution at a time", put(*NODE, "parallel", value=0), ["node 'device'", "parallel = 0", "greater than"]),
        ("half an execution", put(*NODE, "parallel", value=1.5), ["node 'device'", "parallel = 1.5", "integer"]),
        (
            "negative measured time",
            put(*DNN, "measured", value={"board": {"1": {"time_s": -1.0}}}),
            ["dnn 'dnn'", "measured.board.1", "time_s = -1.0", "greater than or equal"],
        ),
        (
            "measured energy without its time",
            put(*DNN, "measured", value={"board": {"1": {"energy_j": 1.0}}}),
            ["dnn 'dnn'", "measured.board.1", "time_s", "missing"],
        ),
        (
            "measured block that is none",
            put(*DNN, "measured", value={"board": {"3": {"time_s": 1.0}}}),
            ["dnn 'dnn'", "measured.board = 3", "exists (1..2)"],
        ),
        (
            "measured time beyond floats",
            both(
                put(*DNN, "measured", value={"board": {"1": {"time_s": 1.7e308}}}), put(*NODE, "device", value="board")
            ),
            ["application 'app'", "energy"],
        ),
        (
            "device without measurements",
            put("devices", value=[{"name": "b", "measured": {}}]),
            ["device 'b'", "measured"],
        ),
        (
            "measurements of an unknown dnn",
            put("devices", value=[{"name": "b", "measured": {"moon": {"1": {"time_s": 1.0}}}}]),
            ["device 'b'", "measured = 'moon'", "DNN"],
        ),
        (
            "a device's measurement of a block that is none",
            put("devices", value=[{"name": "b", "measured": {"dnn": {"3": {"time_s": 1.0}}}}]),
            ["device 'b'", "measured.dnn = 3", "exists (1..2)"],
        ),
        (
            "negative working memory",
            put(*DNN, "blocks", 0, "working_bytes", value=-1.0),
            ["block 1", "working_bytes = -1.0"],
        ),
        (
            "permission for a node that is none",
            put(*APP, "allowed", value={"all": ["moon"]}),
            ["application 'app'", "allowed.all = 'moon'", "node or tier"],
        ),
        (
            "permission for a block that is none",
            put(*APP, "allowed", value={"3": ["edge"]}),
            ["application 'app'", "allowed = 3", "exists (1..2), or all"],
        ),
        ("permission for no index", put(*APP, "allowed", value={"first": ["edge"]}), ["allowed"]),
        ("permission for nowhere", put(*APP, "allowed", value={"2": []}), ["application 'app'", "allowed"]),
        (
            "permission against a pin",
            put(*APP, "allowed", value={"all": ["edge"]}),
            ["application 'app'", "pinned.1 = 'device'", "allowed"],
        ),
        (
            "quantile latency without its share",
            put("latency_kind", value="quantile"),
            ["latency_quantile = None", "latency_kind 'quantile'"],
        ),
        ("share of another latency", put("latency_quantile", value=0.9), ["latency_quantile = 0.9", "'full_depth'"]),
        (
            "quantile of nothing",
            both(put("latency_kind", value="quantile"), put("latency_quantile", value=0.0)),
            ["latency_quantile = 0.0", "greater than 0"],
        ),
        (
            "quantile above 1",
            both(put("latency_kind", value="quantile"), put("latency_quantile", value=1.5)),
            ["latency_quantile = 1.5", "less than"],
        ),
        ("unknown objective", put("objective", value="fame"), ["objective = 'fame'", "energy", "carbon", "money"]),
        ("negative carbon", put(*NODE, "carbon_g_per_j", value=-1.0), ["node 'device'", "carbon_g_per_j = -1.0"]),
        ("negative price", put(*NODE, "price_per_j", value=-1.0), ["node 'device'", "price_per_j = -1.0"]),
        (
            "negative price of a busy second",
            put(*NODE, "price_per_busy_s", value=-1.0),
            ["node 'device'", "price_per_busy_s = -1.0"],
        ),
        ("carbon beyond floats", put(*NODE, "carbon_g_per_j", value=1.7e308), ["application 'app'", "energy"]),
        ("duplicate device", put("devices", value=[BOARD, BOARD]), ["device 'board'", "duplicate"]),
        (
            "measured twice on one device",
            both(put("devices", value=[BOARD]), put(*DNN, "measured", value={"board": {"1": {"time_s": 1.0}}})),
            ["device 'board'", "measured.dnn", "the DNN itself"],
        ),
        ("unknown accounting", put("accounting", value="weekly"), ["accounting = 'weekly'", "expected", "full_depth"]),
        ("schema version of the future", put("schema_version", value=3), ["schema_version = 3", "newer finbench"]),
        ("schema version of the past", put("schema_version", value=0), ["schema_version = 0"]),
        (
            "part that is no file",
            put("network", value="nowhere.toml"),
            ["network = 'nowhere.toml'", "file that exists"],
        ),
    )
}

GOOD_JSON = json.dumps(SOUND)

BAD_TEXTS: dict[str, tuple[str, bytes, list[str]]] = {
    "not JSON": ("a.json", b"{", ["not valid JSON"]),
    "not TOML": ("a.toml", b"name = ", ["not valid TOML"]),
    "empty JSON": ("a.json", b"", ["not valid JSON"]),
    "empty TOML": ("a.toml", b"", ["missing"]),
    "binary": ("a.json", bytes(range(256)), ["not valid JSON"]),
    "binary TOML": ("a.toml", bytes(range(256)), ["not valid TOML"]),
    "zeros": ("a.json", bytes(1000), ["not valid JSON"]),
    "a list": ("a.json", b"[1, 2]", ["table", "a list"]),
    "a number": ("a.json", b"1", ["table"]),
    "NaN": ("a.json", GOOD_JSON.replace('"power_w": 5.0', '"power_w": NaN').encode(), ["power_w = nan", "finite"]),
    "Infinity": ("a.json", GOOD_JSON.replace("5.0", "-Infinity").encode(), ["power_w = -inf", "finite"]),
    "beyond floats": ("a.json", GOOD_JSON.replace("5.0", "1e400").encode(), ["power_w = inf", "finite"]),
    "10,000 digits": ("a.json", GOOD_JSON.replace("5.0", "9" * 10_000).encode(), ["JSON"]),
    "duplicate key": ("a.json", GOOD_JSON.replace('"name": "net"', '"name": "net", "name": "n"').encode(), ["'name'"]),
    "duplicate TOML key": ("a.toml", b"name = 'a'\nname = 'b'", ["not valid TOML"]),
    "deep JSON": ("a.json", b"[" * 10**8, ["nested too deeply"]),
    "deep JSON tables": ("a.json", b'{"a":' * 10**6, ["nested too deeply"]),
    "deep TOML": ("a.toml", b"a = " + b"[" * 10**8, ["bytes", "at most"]),
    "deep TOML below the limit": ("a.toml", b"a = " + b"[" * 10**6, ["nested too deeply"]),
    "deep TOML key": ("a.toml", b"a" + b".a" * 10**6 + b" = 1", ["nested too deeply"]),
    "deep TOML table": ("a.toml", b"[a" + b".a" * 10**6 + b"]", ["nested too deeply"]),
    "other suffix": ("a.yaml", b"name: a", [".toml or .json"]),
}
"""File name, content, what the error line must name."""
