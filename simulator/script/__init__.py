"""Scripts: agents, keys and plans of the fake backend out of a YAML file. Nothing here is imported unless a script is used."""
