"""Who answers: pictures, requests, completions, providers, and the layers around them."""
