"""The fake backend: meaning to bytes. ``running()`` serves it for a test, ``serve()`` for a person."""
