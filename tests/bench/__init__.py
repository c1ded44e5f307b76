"""Figures: how long things take here. Printed, never asserted."""
