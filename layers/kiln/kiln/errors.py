"""Every error that a state machine may name: one class is one catch, its name is the error's name.

    KilnError
    ├── Refused                 the request itself is wrong; nothing was launched
    │   ├── InvalidBlueprint    a key, a value or a file of the blueprint or stack
    │   ├── BaseImageNotFound   the base names no image that exists
    │   ├── IncompatibleBase    base image and instance type do not fit
    │   ├── InvalidRequest      a command names what is not there, or what it cannot change now
    │   ├── BakeRefused         another bake of the blueprint runs, and a second one shall not wait
    │   └── Unsupported         Kiln cannot do this (yet), and says so before it starts
    ├── TurnMissed              the bake's turn did not come in time
    ├── NoCapacity              no instance type in any subnet could be launched
    ├── LaunchRefused           EC2 refused the launch for another reason
    ├── BuilderUnreachable      the instance never came online in Systems Manager
    ├── StepFailed              a step of the blueprint or of the preparation failed
    ├── CleanFailed             the clean-up document failed
    ├── StopFailed              the builder did not stop, or Sysprep failed on it
    ├── BundleFailed            the root of an instance-store builder could not be bundled
    ├── ImageRefused            EC2 refused to create the image
    ├── ImageFailed             the image was created and then failed
    ├── VerificationFailed      a clone of the image is not what it must be
    ├── DistributionFailed      in some Region the image could not be copied, marked or shared
    ├── SetupFailed             a recipe of Setup failed, or its files could not be put in place
    ├── ConfigureFailed         a recipe of Configure failed on an online instance
    ├── DeployFailed            a recipe of Deploy failed
    ├── UndeployFailed          a recipe of Undeploy failed
    ├── ShutdownFailed          a recipe of Shutdown failed; the instance goes down all the same
    ├── TeardownFailed          something that the bake made could not be removed
    ├── RolloutFailed           a layer could not take the image
    ├── WrongState              an instance is in a state from which it cannot do what was asked
    ├── InstanceBusy            another change of the instance is under way
    ├── InstanceGone            the instance's record was deleted meanwhile
    ├── TrafficRefused          a load balancer took or let go of an instance only with an error
    ├── AwsRefused              AWS refused a call for good (code and message inside)
    │   └── CapacityShort       ... because there is no capacity here and now
    ├── AwsBusy                 throttling or a fault of AWS or the network: try again later
    └── TokenGone               a waiting task has ended meanwhile; never leaves a function

Imports nothing. An error's text says what happened, to which resource, and what to do next.
"""

from __future__ import annotations


class KilnError(Exception):
    """Root of all errors that Kiln raises on purpose."""


class Refused(KilnError):
    """The request is wrong as it stands; correcting it is the user's next step."""


class InvalidBlueprint(Refused):
    """A blueprint or stack file breaks its schema or a rule between keys."""


class BaseImageNotFound(Refused):
    """The blueprint's base resolves to no image."""


class IncompatibleBase(Refused):
    """The base image cannot run on an instance type that the blueprint names."""


class InvalidRequest(Refused):
    """A command asks for what layers, instances and rollouts as they are do not allow."""


class BakeRefused(Refused):
    """A second bake of a blueprint, whose `rebuild.second` is `refuse`."""


class Unsupported(Refused):
    """Kiln cannot do what was asked."""


class TurnMissed(KilnError):
    """A bake stood in line for as long as it may."""


class NoCapacity(KilnError):
    """Every instance type in every subnet was refused for lack of capacity."""


class LaunchRefused(KilnError):
    """EC2 refused to launch for a reason that another type or subnet does not mend."""


class BuilderUnreachable(KilnError):
    """An instance was launched and never came online in Systems Manager."""


class StepFailed(KilnError):
    """A command of the blueprint, or of the preparation, ended badly."""


class CleanFailed(KilnError):
    """The clean-up document could not remove what it must remove."""


class StopFailed(KilnError):
    """The builder did not reach `stopped`."""


class BundleFailed(KilnError):
    """The builder's root could not be bundled or uploaded."""


class ImageRefused(KilnError):
    """EC2 refused CreateImage or RegisterImage."""


class ImageFailed(KilnError):
    """The image ended in a state other than `available`."""


class VerificationFailed(KilnError):
    """A clone booted from the image carries what it must not, or lacks what it must keep."""


class DistributionFailed(KilnError):
    """In some Region the image could not be copied, marked, shared or pointed at; it stays in those
    where it could."""


class SetupFailed(KilnError):
    """A recipe of Setup ended badly on an instance, or what recipes read could not be put there."""


class ConfigureFailed(KilnError):
    """A recipe of Configure ended badly on an instance, which stays online."""


class DeployFailed(KilnError):
    """A recipe of Deploy ended badly on an instance."""


class UndeployFailed(KilnError):
    """A recipe of Undeploy ended badly on an instance."""


class ShutdownFailed(KilnError):
    """A recipe of Shutdown ended badly; what goes down goes down all the same."""


class TeardownFailed(KilnError):
    """A resource of the bake could not be removed."""


class RolloutFailed(KilnError):
    """A layer could not take an image."""


class WrongState(KilnError):
    """An instance of a layer cannot go from the state that it is in to the one that was asked."""


class InstanceBusy(KilnError):
    """An instance of a layer is being changed by somebody else."""


class InstanceGone(KilnError):
    """An instance of a layer has no record any more."""


class TrafficRefused(KilnError):
    """An instance could not be registered with, or taken out of, a target group."""


class AwsRefused(KilnError):
    """AWS refused a call: `service`, `operation`, `code` and AWS's own `message`."""

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        super().__init__(f"{service}:{operation} was refused: {code}: {message}")
        self.service = service
        self.operation = operation
        self.code = code
        self.message = message


class CapacityShort(AwsRefused):
    """EC2 has no capacity for this type in this place; another may do."""


class AwsBusy(KilnError):
    """AWS or the way to it failed for now; the same call may succeed later."""


class TokenGone(KilnError):
    """The task that a token stood for has ended or timed out."""
