"""botocore to our words and back. A ClientError dies in `_errors`; nobody else sees a botocore
response."""
