"""What mappings in spec files have in common, and the kinds of single values in them.

Nothing is coerced: a number is not text, text is not a number or a truth value.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import WithJsonSchema

from reconciler.desired import checks, sizes, units


class Part(BaseModel):
    """A mapping in a spec file."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    later: ClassVar[frozenset[str]] = frozenset()
    """Keys of the language that are not supported yet."""


def schema(kind: str, pattern: str = "") -> WithJsonSchema:
    """Describe text with a grammar; `x-kind` names it in the reference."""
    schema = {"type": "string", "x-kind": kind}
    return WithJsonSchema({**schema, "pattern": pattern} if pattern else schema)


Name = Annotated[str, AfterValidator(checks.name), schema("name", f"^{checks.NAME}$")]
LabelKey = Annotated[str, AfterValidator(checks.label_key)]
LabelValue = Annotated[str, AfterValidator(checks.label_value)]
Address = Annotated[str, AfterValidator(checks.address), schema("address", f"^{checks.ADDRESS}$")]
User = Annotated[str, AfterValidator(checks.user), schema("user", f"^{checks.USER}$")]
Jump = Annotated[str, AfterValidator(checks.jump), schema("`[user@]host[:port]`")]
HostKey = Annotated[str, AfterValidator(checks.host_key), schema("`TYPE BASE64`")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Count = Annotated[int, Field(strict=True, ge=1)]
Flag = Annotated[bool, Field(strict=True)]
PatternText = Annotated[str, AfterValidator(checks.pattern), schema("pattern", "^!?[^/*!][^*/]*")]
StateFile = Annotated[str, AfterValidator(checks.state_file), schema("path")]
Under = Annotated[str, AfterValidator(checks.under), schema("filesystem")]
Prefix = Annotated[str, AfterValidator(checks.prefix), schema("prefix", f"^{checks.PREFIX}$")]
Duration = Annotated[str, BeforeValidator(checks.duration), schema("duration", units.DURATION)]
Every = Annotated[str, BeforeValidator(checks.every), schema("duration", units.DURATION)]
Share = Annotated[str, AfterValidator(checks.share), schema("`1%` to `100%`", f"^{checks.SHARE}$")]
CronText = Annotated[str, AfterValidator(checks.cron), schema("cron expression")]
Timezone = Annotated[str, AfterValidator(checks.timezone), schema("IANA time zone")]
GridText = Annotated[str, AfterValidator(checks.grid), schema("grid")]
Bookmarks = Annotated[
    str | int,
    BeforeValidator(checks.bookmarks),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["cursor", "all"]},
                {
                    "type": "object",
                    "properties": {"last": {"type": "integer", "minimum": 1}},
                    "required": ["last"],
                    "additionalProperties": False,
                },
            ],
            "x-kind": "`cursor`, `all` or `{last: N}`",
        }
    ),
]
Regex = Annotated[str, AfterValidator(checks.regex), schema("regular expression")]
Compression = Annotated[
    str, AfterValidator(sizes.compression), schema("compression", f"^({sizes.COMPRESSION})$")
]
Buffer = Annotated[str, AfterValidator(sizes.buffer), schema("size", f"^{sizes.SIZE}$")]
Rate = Annotated[str, AfterValidator(sizes.rate), schema("rate", f"^{sizes.RATE}$")]
CommandText = Annotated[str, AfterValidator(checks.command_text), schema("text")]
Labels = dict[LabelKey, LabelValue]
