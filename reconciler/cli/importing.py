"""What importing reads, writes and says beside the specs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.cli.output import print_error
from reconciler.desired.diagnostics import Diagnostic, SpecError
from reconciler.desired.files import SpecFile, read
from reconciler.desired.load import of_files
from reconciler.errors import UsageError
from reconciler.importing.remarks import Remark, RemarkKind
from reconciler.report.figures import count_text


def one_file(path: Path) -> SpecFile:
    """Return a file's content; raise SpecError when it can't be read."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name the file")
    (found,) = read(path)
    if isinstance(found, Diagnostic):
        raise SpecError([found])
    return found


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Write files where none of these names are; raise UsageError where one is."""
    for name in files:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} exists; nothing was written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error


def report(remarks: Sequence[Remark], text: str) -> None:
    """Say on stderr what there is to know, and whether the specs can be used as they are."""
    for remark in remarks:
        print_error(str(remark))
    blanks = sum(remark.kind is RemarkKind.FILL_IN for remark in remarks)
    if blanks:
        print_error(
            f"{count_text(blanks, 'thing')} to fill in, marked by <...>:"
            " until then `reconciler validate` refuses the specs."
        )
        return
    try:
        of_files([SpecFile("the specs", text.encode())])
    except SpecError as error:
        print_error(f"The specs can't be used as they are:\n{error}")
    else:
        print_error("The specs are valid. Next: `reconciler plan`, which changes nothing.")
