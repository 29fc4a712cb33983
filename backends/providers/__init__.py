"""Who answers: one module a provider, each imported only when one of its backends is opened."""
