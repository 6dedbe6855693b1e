"""How the executed pages run: a command that fails is an error, and pictures are sharp at any width."""

from __future__ import annotations

from typing import Any

c: Any = get_config()  # type: ignore[name-defined]  # noqa: F821  (IPython defines it)
c.InteractiveShell.system_raise_on_error = True
c.InteractiveShell.history_length = 0
c.HistoryManager.enabled = False
c.InlineBackend.figure_formats = {"svg"}
c.Application.log_level = "ERROR"
