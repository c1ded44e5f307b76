"""Runs a plan: dependencies, concurrency within host limits, verification after each action."""
