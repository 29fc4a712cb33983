"""From reports to one verdict: strategies, the file's own word, and the wording."""
