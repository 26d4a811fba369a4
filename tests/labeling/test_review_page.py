"""The review in headless Chromium: decide, undo, start again, as a reviewer does."""

import json

import pytest
from playwright.sync_api import expect

from label_page import SAVED, opened
from serving import started
from ssd300.data.formats.voc_xml import read_xml
from ssd300.labeling.decisions import NAME

pytestmark = pytest.mark.slow

WAITS = 90_000  # milliseconds, for the images to be looked at


def begun(open_page, server):
    page = opened(open_page, server)
    page.keyboard.press("r")
    expect(page.locator("#review-case")).to_be_visible(timeout=WAITS)
    expect(page.locator("#review-state")).to_have_text("", timeout=WAITS)
    return page


def chosen(page, kind):
    """Show the worst case of a kind; its id."""
    page.locator("#review-kind").select_option(kind)
    expect(shown(page)).to_be_visible()
    expect(page.locator("#review-name")).to_have_text(kind)
    return shown(page).get_attribute("data-case")


def shown(page):
    return page.locator("#review-case")


def looked_at(page, count):
    expect(page.locator("#review-count")).to_contain_text(f"{count} of ", timeout=SAVED)


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.xml"))}


def objects(folder):
    return sum(len(read_xml(path).objects) for path in folder.rglob("*.xml"))


def test_a_reviewer_accepts_keeps_undoes_and_goes_on_after_a_restart(open_page, few_cells, cell_run):
    before, count = files(few_cells), objects(few_cells)
    command = ["label", str(few_cells), "--weights", str(cell_run)]
    with started(command, ready="/healthz") as server:
        page = begun(open_page, server)
        looked_at(page, 0)

        first = chosen(page, "missed")
        expect(page.locator("#review-words")).to_contain_text("no label, detector ")
        page.keyboard.press("y")
        looked_at(page, 1)
        assert objects(few_cells) == count + 1
        expect(shown(page)).not_to_have_attribute("data-case", first)

        page.keyboard.press("Control+z")  # goes back to the case, wherever it is
        looked_at(page, 0)
        expect(shown(page)).to_have_attribute("data-case", first)
        assert files(few_cells) == before

        unseen = chosen(page, "unseen")
        page.get_by_role("button", name="Remove", exact=False).filter(has_text="Y").click()
        looked_at(page, 1)
        assert objects(few_cells) == count - 1
        page.locator("#undo").click()
        looked_at(page, 0)
        expect(shown(page)).to_have_attribute("data-case", unseen)
        assert files(few_cells) == before

        page.keyboard.press("k")
        looked_at(page, 1)
        expect(shown(page)).not_to_have_attribute("data-case", unseen)
        page.keyboard.press("Control+z")
        looked_at(page, 0)
        expect(shown(page)).to_have_attribute("data-case", unseen)
        page.keyboard.press("k")
        looked_at(page, 1)

        loose = chosen(page, "loose")
        page.keyboard.press("y")
        looked_at(page, 2)
        assert objects(few_cells) == count
        assert files(few_cells) != before
    rows = [json.loads(line) for line in (few_cells / NAME).read_text().splitlines()]
    assert [row["decision"] for row in rows] == ["detector", "detector", "label", "open", "label", "detector"]

    with started(command, ready="/healthz") as server:
        page = begun(open_page, server)
        looked_at(page, 2)
        assert chosen(page, "unseen") != unseen
        assert chosen(page, "loose") != loose


def test_a_label_that_is_changed_by_hand_settles_its_case(open_page, few_cells, cell_run):
    with started(["label", str(few_cells), "--weights", str(cell_run)], ready="/healthz") as server:
        page = begun(open_page, server)
        case = chosen(page, "unseen")
        place = page.locator("#canvas").bounding_box()  # its label is in the middle
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.keyboard.press("Delete")
        expect(page.locator("#review-meaning")).to_have_text("Settled: the labels were changed.", timeout=SAVED)
        looked_at(page, 1)
        page.keyboard.press("r")
        expect(shown(page)).not_to_have_attribute("data-case", case)
        expect(page.locator("#review-detector")).to_be_visible()

        page.keyboard.press("n")  # to another image: back to the case
        expect(page.locator("#review-next")).to_contain_text("Next")
        page.keyboard.press("p")


def test_labels_that_others_changed_are_not_overwritten_by_a_decision(open_page, few_cells, cell_run):
    with started(["label", str(few_cells), "--weights", str(cell_run)], ready="/healthz") as server:
        page = begun(open_page, server)
        case = chosen(page, "unseen")
        page.route("**/v1/label/changes*", lambda route: route.abort())  # the page hears of nothing now
        for path in few_cells.rglob("*.xml"):
            path.write_bytes(path.read_bytes().replace(b"<pose>Unspecified</pose>", b"<pose>Left</pose>", 1))
        theirs = files(few_cells)
        page.keyboard.press("y")
        expect(page.locator("#conflict")).to_be_visible(timeout=SAVED)
        assert files(few_cells) == theirs
        assert not (few_cells / NAME).exists()
        page.get_by_role("button", name="Take the other labels").click()
        page.keyboard.press("y")
        looked_at(page, 1)
        expect(shown(page)).not_to_have_attribute("data-case", case)
        assert b"<pose>Left</pose>" in b"".join(files(few_cells).values())
        assert files(few_cells) != theirs


def test_without_weights_it_says_what_is_needed(open_page, few_cells):
    with started(["label", str(few_cells)], ready="/healthz") as server:
        page = open_page(server, viewport={"width": 1280, "height": 800})
        expect(page.locator("#zoom")).to_contain_text("%")
        page.keyboard.press("r")
        expect(page.locator("#review-none")).to_contain_text("--weights")
        expect(page.locator("#review-start")).not_to_be_visible()
        assert json.loads(server.get("/v1/label/review")[1])["weights"] == ""
