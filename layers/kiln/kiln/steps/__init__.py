"""Use cases: one function each, with its request and its result. They know the world by its ports
only."""
