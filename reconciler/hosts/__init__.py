"""How to reach a host and run a script on it: by ssh, or on the controller's own machine."""
