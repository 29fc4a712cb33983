"""One case through the graph: the ensemble, the graph, and the Judge that owns every resource."""
