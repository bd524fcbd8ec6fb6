"""`kiln doctor`: one module a check. A check takes a Site, asks AWS and yields Findings; it changes
nothing, prints nothing, and lets AWS's refusals through as AwsRefused and AwsBusy: `examining`
makes of those a finding that is not well. Each finding that is not well says what mends it."""
