"""How a command ends."""


class Ended(Exception):
    """Raised by a command that is through, with its exit code.

    Not typer.Exit: typer itself ends with 2 on wrong usage, and that is one of our codes.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
