"""Where the faults of one local AWS take hold of it."""

from __future__ import annotations

from dataclasses import dataclass

from kiln_local.ec2 import Ec2
from kiln_local.events import AwsEvents
from kiln_local.executions import Ends
from kiln_local.faults import acts, calls, deliveries, invocations
from kiln_local.faults.engine import Faults
from kiln_local.functions import Functions
from kiln_local.patches import Patches


@dataclass(frozen=True)
class Ground:
    """What faults happen to."""

    functions: Functions
    events: AwsEvents
    ec2: Ec2
    ends: Ends


def connect(patches: Patches, faults: Faults, ground: Ground) -> None:
    """Let faults happen from now on."""
    clock = ground.ec2.clock
    invocations.connect(ground.functions, faults, clock)
    deliveries.connect(ground.events, ground.functions, faults)
    calls.Calls(faults, clock, ground.functions).connect(patches)
    acts.Acts(faults, ground.ends, ground.ec2).connect(patches)
