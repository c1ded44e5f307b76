"""The watch loop: work queue, triggers, remembered observations, conditions, locks."""
