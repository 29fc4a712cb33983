"""Where the tasks of a run are performed: in this process, or on a Ray cluster."""
