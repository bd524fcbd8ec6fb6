"""What the imports of files of other tools share: what they say and where they write. Which fields
a tool has is the business of its own room."""
