"""Kiln: bakes golden machine images and puts them to work. The only home of shared code."""
