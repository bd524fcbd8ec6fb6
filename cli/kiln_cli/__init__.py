"""The `kiln` command: parse, call, print. Data goes to stdout, progress and errors to stderr.

Every module here is imported when it is used, because `kiln -h` answers before boto3 could load.
"""
