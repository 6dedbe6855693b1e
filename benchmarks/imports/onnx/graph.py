"""A model as operators and tensors of known sizes, without its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

Attribute = int | float | str | tuple[int, ...]
"""What an operator's attribute says; attributes of other kinds are left out."""


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor before any sample comes."""

    name: str
    shape: tuple[int, ...]
    element_bits: int
    """Size of one element as the model stores it [bit]."""
    floating: bool
    """Whether its elements are floating-point numbers, which a transfer may round."""
    constant: bool
    """Whether its values are the same for every sample: a parameter, or computed from parameters and shapes."""

    @cached_property
    def elements(self) -> int:
        """Number of its elements."""
        return prod(self.shape)

    @property
    def stored_bytes(self) -> int:
        """Memory that it takes [byte]."""
        return -(-self.elements * self.element_bits // 8)


@dataclass(frozen=True)
class Operator:
    """One step of the model."""

    name: str
    """Its name; that of its first output where it has none."""
    kind: str
    """Its type, such as `Conv`, after its domain where that is not ONNX's own."""
    inputs: tuple[str, ...]
    """Tensors that it reads, by position; empty where an optional one is left out."""
    outputs: tuple[str, ...]
    """Tensors that it makes, by position; empty where an optional one is left out."""
    attributes: Mapping[str, Attribute]

    @property
    def read(self) -> tuple[str, ...]:
        """Names of the tensors that it reads."""
        return tuple(name for name in self.inputs if name)

    @property
    def made(self) -> tuple[str, ...]:
        """Names of the tensors that it makes."""
        return tuple(name for name in self.outputs if name)

    def whole(self, attribute: str, default: int) -> int:
        """Return an attribute that is a whole number."""
        value = self.attributes.get(attribute, default)
        return value if isinstance(value, int) else default

    def numbers(self, attribute: str) -> tuple[int, ...] | None:
        """Return an attribute that is a list of whole numbers, None where it is not given."""
        value = self.attributes.get(attribute)
        return value if isinstance(value, tuple) else None

    def text(self, attribute: str, default: str) -> str:
        """Return an attribute that is a text."""
        value = self.attributes.get(attribute, default)
        return value if isinstance(value, str) else default


@dataclass(frozen=True)
class OperatorGraph:
    """The operators that run anew for every sample, in an order in which they can run."""

    operators: tuple[Operator, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    """Tensors that a sample consists of."""
    outputs: tuple[str, ...]
    """Tensors that the model answers with."""

    def flowing(self, names: tuple[str, ...]) -> Iterator[Tensor]:
        """Yield the named tensors that depend on the sample."""
        yield from (self.tensors[name] for name in names if not self.tensors[name].constant)

    def constants(self, operator: Operator) -> Iterator[Tensor]:
        """Yield the parameters that an operator reads."""
        yield from (self.tensors[name] for name in operator.read if self.tensors[name].constant)

    @cached_property
    def maker(self) -> dict[str, int]:
        """Number of the operator that makes a tensor."""
        return {name: k for k, operator in enumerate(self.operators) for name in operator.made}

    def needed_for(self, outputs: tuple[str, ...]) -> set[int]:
        """Return the numbers of all operators whose work these tensors depend on."""
        found: set[int] = set()
        waiting = [self.maker[name] for name in outputs if name in self.maker]
        while waiting:
            k = waiting.pop()
            if k not in found:
                found.add(k)
                waiting += [self.maker[name] for name in self.operators[k].read if name in self.maker]
        return found
