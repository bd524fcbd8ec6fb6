"""One module per command. Each imports click at most; what is heavy waits until it runs."""
