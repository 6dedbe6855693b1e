"""Settings of a DNN's exits: for each, how many samples leave where, and how often the DNN is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from finbench.models.fields import Frozen, Name, Share, since_version_2
from finbench.models.instance import DNN, Exit
from finbench.models.io import InputError, read_document, validate
from finbench.models.remarks import PLACEHOLDER
from finbench.models.tolerances import EXIT_SHARE_TOLERANCE


class ExitFacts(Frozen):
    """What is known of one exit under a setting."""

    exit_fraction: Share
    """Share of all samples that leave here when the whole DNN is deployed."""
    accuracy: Share
    """Accuracy of the DNN when this is its last deployed exit."""


class ExitProfile(Frozen):
    """One setting of all exits."""

    thresholds: Annotated[tuple[float, ...], Field(strict=False)] = since_version_2(())
    """Confidence (or entropy) from which on a sample leaves, for each exit but the last."""
    exits: Annotated[tuple[ExitFacts, ...], Field(min_length=1, strict=False)]
    """All exits in their order."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = sum(exit_.exit_fraction for exit_ in self.exits)
        if abs(total - 1) > EXIT_SHARE_TOLERANCE:
            raise ValueError(f"exits: exit_fraction sums to {total:.6g}: must sum to 1 within {EXIT_SHARE_TOLERANCE}")
        return self


class ExitProfiles(Frozen):
    """Settings among which one may choose."""

    name: Name
    """Name of the table."""
    provenance: str = ""
    """Where the numbers come from."""
    settings: Annotated[tuple[ExitProfile, ...], Field(min_length=1, strict=False)]
    """All settings; each has the same number of exits."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        numbers = {len(setting.exits) for setting in self.settings}
        if len(numbers) > 1:
            raise ValueError(f"settings: have {min(numbers)} to {max(numbers)} exits: must all have the same number")
        return self


def load_exit_profiles(path: Path) -> ExitProfiles:
    """Read a table of settings; raise InputError if it cannot be read or breaks a rule."""
    document = read_document(path)
    document.pop("schema_version", None)
    return validate(document, ExitProfiles, path)


def load_dnn(path: Path) -> DNN:
    """Read a file that holds a DNN; raise InputError if it cannot be read or breaks a rule."""
    document = read_document(path)
    document.pop("schema_version", None)
    return validate(document, DNN, path)


def with_exits(dnn: DNN, table: ExitProfiles, where: Path | str, only: int | None = None) -> tuple[DNN, ...]:
    """Return the DNN under each setting of a table, numbered in their names where there are several.

    Parameters
    ----------
    dnn : DNN
    table : ExitProfiles
    where : Path or str
        Where the table was read, named in errors.
    only : int, optional
        Number (1-based) of the only setting that is wanted.

    Raises
    ------
    InputError
        If the table has another number of exits than the DNN, or no such setting.
    """
    exits = len(table.settings[0].exits)
    if exits != len(dnn.exits):
        raise InputError(where, f"settings: have {exits} exits: '{dnn.name}' has {len(dnn.exits)}")
    if only is not None and not 1 <= only <= len(table.settings):
        raise InputError(where, f"setting {only}: there are {len(table.settings)}")
    if only is not None:
        return (_set(dnn, table, only, dnn.name),)
    if len(table.settings) == 1:
        return (_set(dnn, table, 1, dnn.name),)
    return tuple(_set(dnn, table, k, f"{dnn.name}-{k}") for k in range(1, len(table.settings) + 1))


def _set(dnn: DNN, table: ExitProfiles, number: int, name: str) -> DNN:
    setting = table.settings[number - 1]
    exits = tuple(
        Exit(name=old.name, after_block=old.after_block, exit_fraction=new.exit_fraction, accuracy=new.accuracy)
        for old, new in zip(dnn.exits, setting.exits, strict=True)
    )
    kept = [line for line in dnn.provenance.splitlines() if not line.startswith(PLACEHOLDER)]
    thresholds = f", thresholds {', '.join(f'{each:g}' for each in setting.thresholds)}" if setting.thresholds else ""
    kept.append(f"exits: setting {number} of {len(table.settings)} of '{table.name}'{thresholds}")
    if table.provenance:
        kept.append(f"exits: {' '.join(table.provenance.split())}")
    return DNN(
        name=name,
        provenance="\n".join(kept),
        input_bits=dnn.input_bits,
        blocks=dnn.blocks,
        exits=exits,
        measured=dnn.measured,
    )
