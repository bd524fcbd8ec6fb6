"""From templates of Packer, JSON or HCL2, to blueprints. Nothing here runs Packer, asks AWS or
reads the environment."""
