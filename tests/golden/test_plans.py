"""Plans as people and as scripts get them, compared whole."""

import pytest

from reconciler.report import plan_json
from reconciler.report.lines import text_of
from reconciler.report.plan_text import plan_lines
from tests.golden.conftest import Golden
from tests.golden.scenes import SCENES, scene


@pytest.mark.parametrize("name", SCENES)
def test_the_text_of_a_plan(name: str, golden: Golden) -> None:
    golden(f"{name}.txt", text_of(plan_lines(scene(name))))


@pytest.mark.parametrize(
    "name", ["one-step", "long-history", "trouble", "first-time", "odds-and-ends"]
)
def test_the_explained_text_of_a_plan(name: str, golden: Golden) -> None:
    golden(f"{name}-explained.txt", text_of(plan_lines(scene(name), explain=True)))


@pytest.mark.parametrize(
    "name", ["one-step", "trouble", "first-time", "outside-windows", "sources"]
)
def test_the_document_of_a_plan(name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_json, "__version__", "0")
    golden(f"{name}.json", plan_json.dumps(scene(name)))


@pytest.mark.parametrize("name", SCENES)
def test_a_saved_plan_is_shown_like_the_plan_itself(name: str) -> None:
    whole = scene(name)
    saved = plan_json.loads(plan_json.dumps(whole))
    for explain in (False, True):
        assert list(plan_lines(saved, explain=explain)) == list(plan_lines(whole, explain=explain))
