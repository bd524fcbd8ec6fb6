"""A simulated Windows: files, a registry, services, a launch agent, and an evaluator that applies
what a PowerShell script does to them. PowerShell itself does not run, and every result says so.
"""

from __future__ import annotations

from kiln_local.windows.machine import WindowsMachine

__all__ = ["WindowsMachine"]
