"""How much a deployment holds, and whether it is still correct while loaded: schedules, turns, metrics, objectives.

Nothing here imports Locust or gevent at import but ``users``, ``engine`` and what stands on them: everything else is pure, or
blocking code that works in threads and greenlets alike.
"""
