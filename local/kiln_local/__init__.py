"""The local AWS: moto plus what moto lacks, made from the project's own template. Never imported by
product code."""

from kiln_local import loading

__all__ = ["loading"]
