"""The words for people that the command line, the page and the server share, so that all say the same."""
