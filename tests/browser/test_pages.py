"""The report and the dashboard as a browser shows them: of a bake that succeeded, one that failed
and one that runs. `make browser` brings what this needs; KILN_SCREENSHOTS names a folder for
pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kiln_cli import baking, history, local
from kiln_cli.applying import apply_stack
from kiln_cli.files import read_stack
from kiln_cli.local import LocalLedger
from kiln_cli.pages import report, telling
from kiln_cli.pages.serving import serving
from kiln_cli.place import Place, make_place
from kiln_local.world import LocalAws
from tests.e2e.running import ROOT, write
from tests.integration.local.worlds import until

playwright = pytest.importorskip("playwright.sync_api", reason="`make browser` brings playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="`make browser` brings Debian's chromium"),
]
# The narrowest phone, and a desk.
WIDTHS = (360, 1280)
STEPS = [
    {"name": "greet", "shell": "echo '<b>hello</b> from the builder'"},
    {
        "name": "whisper",
        "shell": "echo hunter22-secret",
        "environment": {"PASSWORD": "hunter22-secret"},
    },
]
BAD = [{"name": "break", "shell": "echo not today >&2; exit 3"}]


@dataclass
class Scene:
    """Three bakes by how they stand, the address of the dashboard, and the reports as files."""

    place: Place
    bakes: dict[str, str]
    address: str = ""
    files: dict[str, Path] = field(default_factory=dict)


def start(place: Place, path: Path) -> str:
    """Begin a bake of a file as the command does; its id."""
    wanted = baking.wanted_from(str(path), path, place)
    return baking.start(wanted, baking.check(wanted, place), place)


@contextmanager
def three_bakes(folder: Path) -> Iterator[tuple[Scene, LocalAws]]:
    """A local AWS with a bake of each kind; the one that runs waits for its image for a day."""
    with LocalAws(ROOT, speed=300.0) as aws:
        place = make_place(aws.session(), "kiln", aws.outputs)
        apply_stack(read_stack(ROOT / "stacks" / "shop.yaml"), place.world)
        layers = [{"layer": "shop/web", "strategy": "add"}]
        good = write(folder, name="web", steps=STEPS, layers=layers)
        bakes = {"succeeded": start(place, good)}
        until(lambda: not aws.executions.under_way, seconds=120)
        bakes["failed"] = start(place, write(folder, name="broken", steps=BAD))
        until(lambda: not aws.executions.under_way, seconds=120)
        aws.ec2.latencies.set("image-available", 86_400)
        bakes["running"] = start(place, write(folder, name="slow", deadline="30h"))
        arn = place.execution(bakes["running"])
        until(lambda: entered(place, arn, "PollImage"), seconds=120)
        yield Scene(place, bakes), aws


def entered(place: Place, arn: str, state: str) -> bool:
    """Whether an execution has come to a state."""
    found = history.events(place.client("stepfunctions"), arn)
    return any(e.get("stateEnteredEventDetails", {}).get("name") == state for e in found)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("pages")
    with three_bakes(folder) as (found, aws):
        local.tell_outputs(found.place)
        for kind, bake in found.bakes.items():
            found.files[kind] = folder / f"{kind}.html"
            told = telling.tell(found.place, LocalLedger(aws), bake)
            report.write(told, found.files[kind])
        with serving(found.place, 0) as found.address:
            yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        made = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


class Window:
    """A page that was opened, with what its console said and whom it asked."""

    def __init__(self, browser: Any, url: str, width: int = 1280, scheme: str = "light") -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)

    def text(self) -> str:
        """All that can be read, opened or not."""
        return str(self.page.evaluate("document.body.textContent"))

    def picture(self, name: str) -> None:
        """Kept where somebody asked for pictures."""
        if folder := os.environ.get("KILN_SCREENSHOTS"):
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))

    def close(self) -> None:
        """Close the window."""
        self.page.close()


@contextmanager
def window(browser: Any, url: str, width: int = 1280, scheme: str = "light") -> Iterator[Window]:
    opened = Window(browser, url, width, scheme)
    try:
        yield opened
    finally:
        opened.close()


def url_of(scene: Scene, which: str) -> str:
    """`dashboard`, or the file or the served page of a bake."""
    if which == "dashboard":
        return scene.address
    how, _, kind = which.partition(" ")
    return (
        scene.files[kind].as_uri() if how == "file" else f"{scene.address}bakes/{scene.bakes[kind]}"
    )


PAGES = (
    "dashboard",
    *(f"{how} {kind}" for how in ("file", "served") for kind in ("succeeded", "failed", "running")),
)


@pytest.mark.parametrize("which", PAGES)
def test_a_page_reads_well_on_every_screen(scene: Scene, browser: Any, which: str) -> None:
    """No scrolling sideways, nothing that axe-core finds serious, a silent console, no request but
    for the page itself; light and dark, narrow and wide."""
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            with window(browser, url_of(scene, which), width, scheme) as shown:
                for details in shown.page.query_selector_all("details"):
                    details.evaluate("found => { found.open = true }")
                wide = shown.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (which, width)
                found = axe.Axe().run(shown.page).response["violations"]
                bad = [v for v in found if v["impact"] in ("serious", "critical")]
                assert bad == [], [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in bad]
                assert shown.said == []
                own = ("file:", "data:") if which.startswith("file") else (scene.address, "data:")
                assert [url for url in shown.asked if not url.startswith(own)] == []
                shown.picture(f"{which.replace(' ', '-')}-{width}-{scheme}")


def test_a_report_of_a_bake_that_succeeded_tells_all_of_it(scene: Scene, browser: Any) -> None:
    with window(browser, url_of(scene, "file succeeded")) as shown:
        text, page = shown.text(), shown.page
        made = scene.place.world.records.images("web")[-1]
        assert made.id in text
        assert "<b>hello</b> from the builder" in text
        assert "hunter22-secret" not in page.content()
        assert "removed /etc/ssh/ssh_host_ed25519_key" in text
        assert "shop/web" in page.inner_text("section:has(#rollouts)")
        rows = page.inner_text("section:has(#identity) tbody")
        assert "ssh_host_ed25519_key" in rows
        assert "the same" not in rows
        drawn = page.text_content("svg desc")
        assert "AwaitBuilder (passed" in drawn
        assert "Step Functions" in page.inner_text("section:has(#cost)")
        for link in page.query_selector_all("nav a"):
            assert page.query_selector(link.get_attribute("href")) is not None


def test_a_report_of_a_bake_that_failed_begins_with_why(scene: Scene, browser: Any) -> None:
    with window(browser, url_of(scene, "file failed")) as shown:
        first = shown.page.inner_text("main section:first-child")
        assert "StepFailed" in first
        assert "not today" in first
        assert "AwaitStep" in first
        assert shown.page.query_selector(".machine .failed") is not None
        # What it said stands open.
        assert "not today" in shown.page.inner_text("details[open]")


def test_a_report_of_a_bake_that_runs_says_where_it_is(scene: Scene, browser: Any) -> None:
    with window(browser, url_of(scene, "served running")) as shown:
        assert "RUNNING" in shown.page.inner_text("header")
        assert "under way" in shown.page.inner_text("#timeline + table tbody tr:last-child")
        assert shown.page.query_selector(".machine .busy-now") is not None


def test_the_dashboard_leads_to_every_bake(scene: Scene, browser: Any) -> None:
    with window(browser, scene.address) as shown:
        page = shown.page
        assert scene.bakes["running"] in page.inner_text("#live")
        assert "PollImage" in page.inner_text("#live")
        assert scene.bakes["failed"] in page.inner_text("section:has(#failures)")
        assert "StepFailed" in page.inner_text("section:has(#failures)")
        layers = page.inner_text("section:has(#layers)")
        assert "shop/web" in layers
        assert "1 online" in layers
        assert scene.place.world.records.images("web")[-1].id in page.inner_text(
            "section:has(#images)"
        )
        for link in {a.get_attribute("href") for a in page.query_selector_all("main a")}:
            answer = page.request.get(scene.address + link.lstrip("/"))
            assert answer.ok, link


def test_the_dashboard_keeps_up_without_a_reload(scene: Scene, browser: Any) -> None:
    with window(browser, scene.address) as shown:
        before = shown.page.inner_text("#live td.number")
        shown.page.wait_for_function(
            "before => document.querySelector('#live td.number').innerText !== before", arg=before
        )


def test_everything_is_reached_by_keyboard(scene: Scene, browser: Any) -> None:
    with window(browser, scene.address) as shown:
        shown.page.keyboard.press("Tab")
        assert shown.page.evaluate("document.activeElement.className") == "skip"
        reached = set()
        for _ in shown.page.query_selector_all("a, summary"):
            reached.add(shown.page.evaluate("document.activeElement.getAttribute('href')"))
            shown.page.keyboard.press("Tab")
        assert {a.get_attribute("href") for a in shown.page.query_selector_all("a")} <= reached
