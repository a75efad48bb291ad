"""From a YAML file to a frozen scenario."""
