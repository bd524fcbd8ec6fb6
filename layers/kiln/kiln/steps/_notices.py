"""Whether what came as a notice of SNS is one: of a topic that Kiln listens to, signed by SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiln.domain.notice import NoNotice, Notice, notice_from

if TYPE_CHECKING:
    from kiln.ports import World


def true_notice(record: dict[str, Any], world: World) -> Notice:
    """The notice in a record of Lambda's event. NoNotice that says what is wrong; AwsBusy where
    SNS's certificate cannot be had for now.

    How old a notice is does not matter: it says nothing but that Kiln should look, and one that is
    played back makes it look once more.
    """
    notice = notice_from(record, world.settings.release_topics)
    certificate = world.certificates.read(notice.certificate)
    if certificate is None:
        raise NoNotice(f"there is no certificate at {notice.certificate}")
    flaw = world.signatures.flaw(
        certificate, notice.sealed, notice.signed, notice.digest, world.clock.now()
    )
    if flaw:
        raise NoNotice(flaw)
    return notice
