"""One way of looking: labels, answers, reports, prompts and the signals measured beside them."""
