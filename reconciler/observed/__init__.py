"""What the hosts say: one probe per host, its parser, and the model of what is there."""
