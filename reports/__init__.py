"""A verification's JSON in, something a person or a CI can read out. Imports nothing of ours; the schema is the contract.

``write`` reads, checks and writes files; ``scorecard``, ``html``, ``markdown``, ``junit``, ``sarif`` and ``badge`` each turn the same JSON
into text. ``comparison`` holds several against each other.
"""
