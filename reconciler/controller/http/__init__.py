"""What the controller shows over HTTP: metrics, health, its status as JSON and as a page.

Read-only: nothing that is asked here changes anything.
"""
