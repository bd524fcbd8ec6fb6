"""RecordContents: what is in the image, kept in the bucket."""

from kiln.runtime import step, world
from kiln.steps.record_contents import ContentsRecorded, RecordContents, record_contents


@step(RecordContents)
def handler(request: RecordContents) -> ContentsRecorded:
    return record_contents(request, world())
