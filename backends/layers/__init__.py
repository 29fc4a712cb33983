"""Layers around a backend, each a wrapper with the backend's own protocol.

Outer to inner: fallback → usage → cache → thinking → retry → budget → limiter → provider. A cache hit needs no slot and
spends no budget; a back-off sleep holds no slot; every attempt counts against the budget.
"""
