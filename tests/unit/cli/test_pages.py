"""What the report and the dashboard say, and how."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiln.domain.bake import BakeStatus
from kiln.domain.instance import InstanceState, LayerInstance
from kiln.errors import InvalidRequest
from kiln_cli import outputs
from kiln_cli.history import Span
from kiln_cli.pages import board, costs, rendering, report, telling
from kiln_cli.place import Place
from kiln_cli.result import BakeOutcome, BakeResult, CommandOutcome
from tests.builders import BAKE, NOW, a_plan, a_record, a_stack
from tests.e2e.running import ROOT
from tests.unit.steps.pruning import FAR, Album

NOTHING: dict[str, Any] = {
    "image": None,
    "states": (),
    "calls": None,
    "commands": (),
    "identity": None,
    "rollouts": (),
    "makespan_s": 60.0,
    "aws_s": None,
    "leaks": (),
}


def a_report(**changes: Any) -> telling.Report:
    """Of a bake of which nothing but its status is known."""
    outcome = BakeOutcome(id=BAKE, blueprint="web", version=1, status="FAILED")
    values: dict[str, Any] = {
        "at": NOW,
        "stack_name": "kiln",
        "region": "eu-west-1",
        "result": BakeResult(bake=outcome, **NOTHING),
        "record": a_record(),
        "began": NOW,
        "elapsed_s": 60.0,
        "drawing": None,
        "visits": (),
        "documents": (),
        "removed": (),
        "packages": None,
        "lineage": None,
        "costs": (),
    }
    return telling.Report(**(values | changes))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.42, "0.4 s"), (48, "48 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")],
)
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert rendering.took(seconds) == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(0, "now"), (12, "12 min"), (300, "5 h"), (1440, "1 day"), (9999, "6 days")],
)
def test_ages_are_said_in_their_largest_unit(minutes: int, said: str) -> None:
    assert rendering.age(timedelta(minutes=minutes)) == said


def test_what_machines_say_is_no_markup_and_steers_no_terminal() -> None:
    outcome = CommandOutcome(document="d", instance="i-1", status="Failed", ran=True, steps=())
    said = outputs.Said("s", 1, "<script>alert(1)</script>\x1b[31m", "")
    document = outputs.Document("step 'x'", "step", outcome, (said,))
    text = report.page(a_report(documents=(document,)))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text


def test_a_page_in_a_file_may_load_nothing() -> None:
    assert "default-src &#39;none&#39;" in report.page(a_report())


def test_a_report_leads_only_to_sections_that_it_has() -> None:
    text = report.page(a_report())
    assert 'href="#facts"' in text
    assert 'href="#identity"' not in text


def test_a_report_says_where_all_of_an_output_lies() -> None:
    outcome = CommandOutcome(document="d", instance="i-1", status="Success", ran=True, steps=())
    cut = outputs.Said("s", 0, "x" * 24_000, "", "bakes/1/stdout")
    whole = replace(cut, stdout="x")
    for said, there in ((cut, True), (whole, False)):
        document = outputs.Document("step 'x'", "step", outcome, (said,))
        assert ("bakes/1/stdout" in report.page(a_report(documents=(document,)))) is there


def test_a_report_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"gone/x.html: cannot be written: No such file"):
        report.write(a_report(), tmp_path / "gone" / "x.html")


def test_prices_are_those_that_the_benchmarks_use() -> None:
    prices = yaml.safe_load((ROOT / "bench" / "prices.yaml").read_text())
    for usd, name in (
        (costs.USD_OF_A_TRANSITION, "transition"),
        (costs.USD_OF_A_REQUEST, "invocation"),
    ):
        assert usd == pytest.approx(prices[name]["usd"] / prices[name]["each"])


def test_instances_are_paid_from_their_launch_to_the_end_and_have_no_price_here() -> None:
    spans = [Span("LaunchBuilder", 10.0, 11.0), Span("LaunchClone", 100.0, 101.0)]
    builder, clone = costs.of_instances(a_plan(), spans, 160.0)
    assert (builder.amount, builder.usd) == ("2 min 30 s of m7i.large at most", None)
    assert clone.amount.startswith("1 min 0 s")


# ------------------------------------------------------------ the dashboard


class Home(Album):
    """An album with a layer that takes the images of web."""

    def __init__(self) -> None:
        feed = [{"layer": "shop/web", "strategy": "replace"}]
        super().__init__({}, layers=feed)
        self.fake.records.put_stack(a_stack())
        self.place = Place(self.fake.world, None, {}, "kiln")  # type: ignore[arg-type]

    def serve(self, image: str, name: str = "web1") -> None:
        """An instance of the layer that serves an image."""
        self.fake.records.add_instance(
            LayerInstance(
                id=name,
                stack="shop",
                layers=("web",),
                hostname=name,
                state=InstanceState.ONLINE,
                image=image,
                ec2_id=f"i-{name}",
            )
        )

    def announced(self, days: int) -> str:
        """An image that layers have heard of."""
        return self.add(days, announced=NOW)

    def look(self) -> board.Board:
        return board.look(self.place)


def test_an_instance_that_serves_another_image_than_its_layer_takes_has_drifted() -> None:
    home = Home()
    old, new = home.announced(9), home.announced(2)
    home.serve(new, "web1")
    assert home.look().layers[0].drifted == ()
    home.serve(old, "web2")
    layer = home.look().layers[0]
    assert (layer.drifted, layer.wanted, layer.states) == (("web2",), (new,), {"online": 2})


def test_images_are_told_by_blueprint_the_newest_first_with_what_they_cost_everywhere() -> None:
    home = Home()
    home.announced(9)
    new = home.add(2, FAR)
    newest, oldest = home.look().images["web"]
    assert (newest.record.id, newest.newest, newest.age.days) == (new, True, 2)
    assert newest.size == 2 * oldest.size == 16 * 2**30
    assert newest.usd == pytest.approx(2 * 8 * 0.05)
    assert home.look().storage_bytes == 24 * 2**30


def test_failures_are_told_with_their_reason_the_latest_first() -> None:
    home = Home()
    for number in (1, 2):
        plan = a_plan(bake=f"{BAKE[:-1]}{number}", started=NOW + timedelta(hours=number))
        failed = a_record(plan, status=BakeStatus.FAILED, error="StepFailed", cause=f"no. {number}")
        home.fake.records.add_bake(failed)
    assert [row["cause"] for row in home.look().failures] == ["no. 2", "no. 1"]
    page = rendering.render("dashboard.html.j2", policy="", board=home.look())
    assert page.index("no. 2") < page.index("no. 1")


def test_the_page_of_an_empty_account_says_so() -> None:
    place = Home().place
    page = rendering.render("dashboard.html.j2", policy="", board=board.look(place))
    for words in ("No bake runs.", "No bake has failed.", "No image was made yet."):
        assert words in page
