"""The machine room: an EC2 instance is a directory with a root file system, an image is a copy of
it.

Documents really run there, in namespaces made with util-linux alone: the host's `/usr` underneath,
read only, everything else the instance's own. See `room.MachineRoom`.
"""

from kiln_local.machines.agent import DocumentRun, RunOrder
from kiln_local.machines.boot import Birth
from kiln_local.machines.room import MachineRoom
from kiln_local.machines.sandbox import Ended
from kiln_local.machines.steps import StepRun

__all__ = ["Birth", "DocumentRun", "Ended", "MachineRoom", "RunOrder", "StepRun"]
