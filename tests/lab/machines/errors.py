"""What can go wrong in the lab, as exceptions whose text can be shown to a person."""


class LabError(Exception):
    """Raised when the lab cannot be built, booted or used; the text says why and what to do."""


class CommandError(LabError):
    """Raised when a command on this machine or on a lab host ended with a failure."""

    def __init__(self, argv: str, code: int, output: str) -> None:
        super().__init__(f"{argv}: exit {code}: {output.strip()[-2000:]}")
        self.code = code
        self.output = output
