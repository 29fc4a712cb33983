"""A tiny checkpoint that is taught to answer, and an ensemble that asks it about drawings."""
