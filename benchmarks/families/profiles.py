"""Random early-exit DNNs with the published ones' magnitudes, and draws that all families use."""

from __future__ import annotations

import numpy as np

from finbench.models.instance import DNN, Block, Exit

FIRST_OPS, LAST_OPS = 2e7, 1e7
"""Typical operations of the first and the last block (B-AlexNet: 2.3e7 and 1.4e7)."""

FIRST_BITS, LAST_BITS = 1.5e6, 3e5
"""Typical output sizes of the first and the last block [bit] (B-AlexNet: 1.5e6 and 3.5e5)."""

INPUT_BITS = 224 * 224 * 3 * 8
FIRST_ACCURACY, LAST_ACCURACY = 0.55, 0.9


def around(rng: np.random.Generator, typical: float, factor: float) -> float:
    """Draw log-uniformly within a factor of `typical`; return the number to six significant digits."""
    return float(f"{typical * factor ** rng.uniform(-1, 1):.6g}")


def random_dnn(rng: np.random.Generator, blocks: int, exits: int) -> DNN:
    """Draw a chain whose outputs shrink with depth and whose exits are spread evenly, the last after the last block.

    Operations and sizes are those of the published networks spread over `blocks` blocks: deeper chains have lighter
    blocks, so that targets stay comparable.
    """
    depth = np.linspace(0, 1, blocks)
    lighter = min(1.0, 8 / blocks)
    typical_ops = FIRST_OPS * (LAST_OPS / FIRST_OPS) ** depth * lighter
    typical_bits = FIRST_BITS * (LAST_BITS / FIRST_BITS) ** depth * lighter
    shares = np.round(rng.dirichlet(np.full(exits, 3.0)), 6)
    accuracies = np.linspace(FIRST_ACCURACY, LAST_ACCURACY, exits) if exits > 1 else np.array([LAST_ACCURACY])
    after = [round((k + 1) * blocks / exits) for k in range(exits)]
    return DNN(
        name="dnn",
        provenance="drawn around the published networks",
        input_bits=INPUT_BITS,
        blocks=tuple(
            Block(ops=round(around(rng, ops, 2)), output_bits=round(around(rng, bits, 1.5)))
            for ops, bits in zip(typical_ops, typical_bits, strict=True)
        ),
        exits=tuple(
            Exit(after_block=b, exit_fraction=float(share), accuracy=float(f"{accuracy:.4g}"))
            for b, share, accuracy in zip(after, shares, accuracies, strict=True)
        ),
    )


def accuracy_target(dnn: DNN) -> float:
    """Return an accuracy that only the last exit reaches."""
    before = dnn.exits[-2].accuracy if len(dnn.exits) > 1 else 0.0
    return float(f"{(before + dnn.exits[-1].accuracy) / 2:.4g}")
