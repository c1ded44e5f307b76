"""Whatever a zrepl.yml says: specs that are YAML, or findings with places; never anything else."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFile
from reconciler.desired.yamlfile import parse
from reconciler.importing.zrepl_specs import Imported, Known, import_zrepl, text, texts

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["<", "tank<", "^(", "a: b", "# x", "<x>", "yes", "1x1h", "*", "{host}", "-1"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


def slots(data: Any) -> list[tuple[Any, Any]]:
    """Return every place in nested data where something stands."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    found = [(data, key) for key, _ in pairs]
    inner = [value for _, value in found for value in [data[value]]]
    return found + [slot for v in inner if isinstance(v, dict | list) for slot in slots(v)]


def tried(file: SpecFile) -> Imported | SpecError:
    try:
        return import_zrepl(file, Known(host="alpha"))
    except SpecError as error:
        return error


@given(st.data())
@settings(suppress_health_check=[*HealthCheck])
def test_odd_values_in_any_place_end_in_specs_or_in_findings(
    everything: dict[str, Any], data: st.DataObject
) -> None:
    config: dict[str, Any] = json.loads(json.dumps(everything))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(slots(config)))
        container[key] = data.draw(ODD)
    file = SpecFile("zrepl.yml", json.dumps(config).encode())

    found = tried(file)
    if not isinstance(found, Imported):
        assert found.diagnostics
        return
    parsed = parse("specs.yaml", text(found, "zrepl.yml").encode())
    assert parsed.diagnostics == ()
    assert len(parsed.documents) == len(found.hosts) + len(found.replications)
    assert len(texts(found, "zrepl.yml")) == 1 + len(found.replications)
