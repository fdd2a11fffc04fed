"""A prompt's exam: a suite of inputs, what each answer must be, what changed since the last run."""
