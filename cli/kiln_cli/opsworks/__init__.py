"""From saved `aws opsworks describe-...` output to stack files. Nothing here asks AWS: the service
is gone."""
