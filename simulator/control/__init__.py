"""The control API: a port of its own, on which a running backend is looked at and changed. Everything it does is in ``operations``."""
