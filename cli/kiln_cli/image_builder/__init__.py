"""From EC2 Image Builder to blueprints: saved output of `aws imagebuilder get-...`, CloudFormation
templates and component documents. Nothing here asks AWS."""
