"""Answers of questions that mean the same: what may be served, by which evidence, and why."""
