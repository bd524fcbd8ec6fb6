"""Pages for a browser: the report of a bake and the dashboard.

What a page says is gathered from the records, Step Functions and EC2 as other commands gather it;
the templates lay it out and decide nothing. A page fetches nothing: its style stands in it.
"""
