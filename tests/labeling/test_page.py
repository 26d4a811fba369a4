"""The page in headless Chromium, as a person uses it: what is drawn is on the disk, and nobody's work is lost."""

import json
import os
import signal

import pytest
from playwright.sync_api import expect

from serving import started
from ssd300.data.formats.voc_xml import read_xml

pytestmark = pytest.mark.slow

SAVED = 15_000  # milliseconds


@pytest.fixture
def label():
    """Starts a server for a folder."""

    def start(folder, *more):
        return started(["label", str(folder), *map(str, more)], ready="/healthz")

    return start


def opened(open_page, server, **options):
    page = open_page(server, viewport={"width": 1280, "height": 800}, **options)
    expect(page.locator("#zoom")).to_contain_text("%")
    return page


def drag(page, start, end):
    """Drag from one pixel of the image to another."""
    page.mouse.move(*at(page, start))
    page.mouse.down()
    page.mouse.move(*at(page, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*at(page, end))
    page.mouse.up()


def at(page, point):
    """Where a pixel of the image is on the screen."""
    place = page.evaluate(
        "([x, y]) => import('/static/viewport.js').then(({ viewport: v }) => [x * v.scale + v.x, y * v.scale + v.y])",
        list(point),
    )
    box = page.locator("#canvas").bounding_box()
    return box["x"] + place[0], box["y"] + place[1]


def wait_until_saved(page):
    expect(page.locator("#saved")).to_have_text("All saved", timeout=SAVED)


def add_class(page, name):
    page.get_by_role("textbox", name="Find or add a class").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name=name)).to_be_visible()


def boxes_of(path):
    file = read_xml(path)
    assert file.fault is None
    return [(item.name, *map(round, item.box_px)) for item in file.objects]


def test_images_are_labeled_from_nothing(open_page, photos, label):
    with label(photos) as server:
        page = opened(open_page, server)
        drag(page, (5, 5), (20, 25))
        expect(page.locator("#boxes li")).to_contain_text("which class?")
        add_class(page, "cat")
        drag(page, (30, 10), (50, 30))
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25), ("cat", 30, 10, 50, 30)]

        drag(page, (40, 20), (45, 25))  # the second one is selected: it moves
        page.keyboard.press("d")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+ArrowDown")
        wait_until_saved(page)
        file = read_xml(photos / "img0.xml")
        assert boxes_of(photos / "img0.xml")[1] == ("cat", 34, 15, 54, 36)
        assert [item.difficult for item in file.objects] == [False, True]

        for _ in range(3):
            page.keyboard.press("Control+z")
        page.keyboard.press("Control+Shift+z")
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml")[1] == ("cat", 35, 15, 55, 35) or page.locator("#boxes li").count() == 2

        page.keyboard.press("Delete")
        page.keyboard.press("c")  # what is left goes to the next image too
        expect(page.locator("#image-caption")).to_contain_text("img1.png")
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == boxes_of(photos / "img1.xml") == [("cat", 5, 5, 20, 25)]

        page.keyboard.press("n")
        expect(page.locator("#image-caption")).to_contain_text("img2.png")
        page.keyboard.press("e")
        wait_until_saved(page)
        assert boxes_of(photos / "img2.xml") == []
        expect(page.locator("#progress-text")).to_have_text("3 of 3 labeled")
        page.keyboard.press("e")
        wait_until_saved(page)
        assert not (photos / "img2.xml").exists()


def test_a_first_box_that_is_undone_leaves_no_labels(open_page, photos, label):
    with label(photos) as server:
        page = opened(open_page, server)
        add_class(page, "cat")
        drag(page, (5, 5), (20, 25))
        wait_until_saved(page)
        assert (photos / "img0.xml").exists()
        page.keyboard.press("Control+z")
        wait_until_saved(page)
        assert not (photos / "img0.xml").exists()


def test_a_box_without_a_class_is_not_left_behind(open_page, photos, label):
    with label(photos) as server:
        page = opened(open_page, server)
        drag(page, (5, 5), (20, 25))
        page.keyboard.press("Escape")  # of the field for the class
        page.get_by_role("button", name="Next image").click()
        expect(page.locator("#note")).to_contain_text("has no class yet")
        expect(page.locator("#image-caption")).to_contain_text("img0.png")
        add_class(page, "cat")
        wait_until_saved(page)
        page.get_by_role("button", name="Next image").click()
        expect(page.locator("#image-caption")).to_contain_text("img1.png")
        assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25)]


def test_without_a_pointer(open_page, photos, label):
    (photos / "classes.txt").write_text("cat\ndog\n")
    with label(photos) as server:
        page = opened(open_page, server)
        page.locator("#canvas").focus()
        page.keyboard.press("b")
        page.keyboard.press("b")
        page.keyboard.press("2")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        expect(page.locator("#boxes li").first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("t")
        expect(page.locator("#announce")).to_have_text("truncated on")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # behind the last box the focus goes on
        expect(page.locator("#canvas")).not_to_be_focused()
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == [("cat", 23, 15, 38, 25), ("dog", 23, 14, 38, 24)]
        assert "<truncated>1</truncated>" in (photos / "img0.xml").read_text()
        page.locator("#boxes li").nth(1).click()
        expect(page.locator("#boxes li").nth(1)).to_have_attribute("aria-selected", "true")


TOUCH = """([kind, id, x, y]) => document.querySelector("#canvas").dispatchEvent(new PointerEvent(kind, {
  pointerId: id, pointerType: "touch", clientX: x, clientY: y, button: 0, bubbles: true, cancelable: true }))"""


def test_fingers_draw_resize_and_zoom(open_page, photos, label):
    (photos / "classes.txt").write_text("cat\n")
    with label(photos) as server:
        page = opened(open_page, server, has_touch=True)
        # A finger of a test is not known to the browser, so that it cannot be held.
        page.evaluate("HTMLCanvasElement.prototype.setPointerCapture = () => {}")

        def finger(kind, place, number=1):
            page.evaluate(TOUCH, [f"pointer{kind}", number, *place])

        def swipe(start, end):
            finger("down", start)
            finger("move", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
            finger("move", end)
            finger("up", end)

        swipe(at(page, (10, 10)), at(page, (30, 30)))
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == [("cat", 10, 10, 30, 30)]
        corner = at(page, (30, 30))
        swipe((corner[0] + 20, corner[1] + 20), at(page, (41, 36)))  # 20 pixels beside the handle
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == [("cat", 10, 10, 41, 36)]

        before = page.locator("#zoom").inner_text()
        middle = at(page, (30, 20))
        finger("down", (middle[0] - 50, middle[1]), 1)
        finger("down", (middle[0] + 50, middle[1]), 2)
        finger("move", (middle[0] + 100, middle[1]), 2)
        finger("up", (middle[0] + 100, middle[1]), 2)
        finger("up", (middle[0] - 50, middle[1]), 1)
        expect(page.locator("#zoom")).not_to_have_text(before)
        assert boxes_of(photos / "img0.xml") == [("cat", 10, 10, 41, 36)]


def test_the_panels_count_check_and_train(open_page, photos, label, tmp_path):
    (photos / "classes.txt").write_text("cat\n")
    with label(photos, "--runs", tmp_path / "runs") as server:
        page = opened(open_page, server)
        drag(page, (5, 5), (20, 25))
        wait_until_saved(page)
        page.get_by_role("tab", name="Data").click()
        expect(page.locator("#data-classes")).to_contain_text("cat")
        page.get_by_role("button", name="Check the labels").click()
        expect(page.locator("#check-state")).to_contain_text("No problem found", timeout=SAVED)
        page.keyboard.press("Shift+Tab")
        page.get_by_role("tab", name="Data").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#panel-train")).to_be_visible()
        expect(page.locator("#train-data")).to_have_text("1 labeled image so far.")
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
        page.locator("#tabs").click(position={"x": 235, "y": 20})  # beside the tabs
        expect(page.locator("#panel-train")).to_be_visible()


def test_two_tabs_see_each_other_and_a_conflict_has_two_ways_out(open_page, photos, label):
    with label(photos) as server:
        first, second = opened(open_page, server), opened(open_page, server)
        add_class(first, "cat")
        drag(first, (5, 5), (20, 25))
        wait_until_saved(first)
        expect(second.locator("#boxes li")).to_have_count(1, timeout=SAVED)
        expect(second.locator("#note")).to_contain_text("changed these labels")

        place = photos / "img0.xml"
        mine = place.read_text()
        second.route("**/v1/label/changes*", lambda route: route.abort())  # it hears of nothing now
        place.write_text(mine.replace("<xmax>20<", "<xmax>21<"))
        drag(second, (30, 10), (50, 30))
        expect(second.locator("#conflict")).to_be_visible(timeout=SAVED)
        assert boxes_of(place) == [("cat", 5, 5, 21, 25)]
        second.get_by_role("button", name="Save mine over them").click()
        wait_until_saved(second)
        assert boxes_of(place) == [("cat", 5, 5, 20, 25), ("cat", 30, 10, 50, 30)]

        place.write_text(mine.replace("<xmax>20<", "<xmax>22<"))
        second.keyboard.press("Delete")
        second.get_by_role("button", name="Take the other labels").click()
        wait_until_saved(second)
        expect(second.locator("#boxes li")).to_have_count(1)
        assert boxes_of(place) == [("cat", 5, 5, 22, 25)]


def test_a_server_that_is_killed_between_two_saves_loses_nothing(open_page, photos, label):
    with label(photos) as server:
        page = opened(open_page, server)
        add_class(page, "cat")
        drag(page, (5, 5), (20, 25))
        wait_until_saved(page)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        drag(page, (30, 10), (50, 30))
        expect(page.locator("#saved")).to_have_text("Not saved", timeout=SAVED)
        expect(page.locator("#error")).to_contain_text("does not respond")
        assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25)]
        port = server.address.rpartition(":")[2]
        with label(photos, "--port", port):
            wait_until_saved(page)
            assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25), ("cat", 30, 10, 50, 30)]


def test_proposals_are_accepted_one_by_one_and_together(open_page, cells, label, exported):
    for path in cells.rglob("*.xml"):
        path.unlink()
    with label(cells, "--weights", exported["raw"]) as server:
        page = opened(open_page, server)
        expect(page.locator("#proposals-state")).not_to_have_text("Detecting …", timeout=60_000)
        page.locator("#min-score").evaluate("(one) => { one.value = 0.05; one.dispatchEvent(new Event('input')); }")
        button = page.get_by_role("button", name="Accept", exact=False).first
        expect(button).to_be_enabled(timeout=SAVED)
        count = int(button.inner_text().split()[1])
        page.locator("#canvas").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("a")
        expect(page.locator("#boxes li")).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("Shift+A")
        wait_until_saved(page)
        accepted = page.locator("#boxes li").count()
        assert 1 < accepted <= count
        (place,) = cells.rglob("*.xml")
        assert len(boxes_of(place)) == accepted
        page.keyboard.press("Control+z")
        expect(page.locator("#boxes li")).to_have_count(1)


def shown_order(page):
    return [int(row.get_attribute("data-image")) for row in page.locator("#image-rows .image-row").all()]


def test_the_least_sure_images_come_first_by_the_chosen_measure(open_page, photos, label, exported):
    with label(photos, "--weights", exported["raw"]) as server:
        page = opened(open_page, server)
        page.get_by_role("button", name="Propose for all images").click()
        expect(page.locator("#proposals-state")).not_to_contain_text("left", timeout=60_000)
        assert shown_order(page) == [0, 1, 2]
        for measure in ("mean-entropy", "flip", "entropy"):
            page.get_by_label("Order of the images").select_option(measure)
            address = f"/v1/label/proposals/order?by={measure}"
            page.wait_for_function(
                """async (address) => {
                  const about = await (await fetch("/v1/label/proposals")).json();
                  const order = await (await fetch(address)).json();
                  const rows = [...document.querySelectorAll("#image-rows .image-row")];
                  return about.left === 0 && rows.map((row) => row.dataset.image).join() === order.join();
                }""",
                arg=address,
                timeout=60_000,
            )
            assert sorted(shown_order(page)) == [0, 1, 2]
        page.get_by_label("Order of the images").select_option("name")
        assert shown_order(page) == [0, 1, 2]


def test_a_list_of_images_is_shown_first_in_its_order(open_page, photos, label, tmp_path):
    (tmp_path / "next.txt").write_text(f"{photos / 'img2.png'}\n{photos / 'img0.png'}\n/elsewhere.png\n")
    with label(photos, "--list", tmp_path / "next.txt") as server:
        page = opened(open_page, server)
        expect(page.locator("#image-count")).to_have_text("2 of 3 images")
        expect(page.locator("#image-caption")).to_contain_text("img2.png")
        page.keyboard.press("n")
        expect(page.locator("#image-caption")).to_contain_text("img0.png")
        assert shown_order(page) == [2, 0]
        page.get_by_label("Which images are listed").select_option("all")
        assert shown_order(page) == [0, 1, 2]
    assert any("1 path left out" in line for line in server.log_lines)


def test_labeled_images_of_no_list_are_told_and_added(open_page, photos, label):
    (photos / "Annotations").mkdir()
    (photos / "classes.txt").write_text("cat\n")
    (photos / "test.txt").write_text("img0\n")
    with label(photos) as server:
        page = opened(open_page, server)
        expect(page.locator("#image-caption")).to_contain_text("· test")
        expect(page.locator("#data-mark")).not_to_be_visible()
        for _ in range(2):
            page.keyboard.press("n")
            drag(page, (5, 5), (20, 25))
            wait_until_saved(page)
        expect(page.locator("#image-caption")).to_contain_text("in no split")
        expect(page.locator("#data-mark")).to_be_visible()
        page.get_by_role("tab", name="Data").click()
        expect(page.locator("#data-splits")).to_contain_text("2 images, 2 objects")
        expect(page.locator("#unlisted-words")).to_contain_text("2 images have labels and are in no list")
    assert any("2 labeled images are in no list" in line for line in server.log_lines)
    with label(photos) as server:
        page = opened(open_page, server)
        page.get_by_role("tab", name="Data").click()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator("#unlisted")).not_to_be_visible()
        expect(page.locator("#data-splits")).to_contain_text("3 images, 2 objects")
        assert (photos / "test.txt").read_text() == "img0\nimg1\nimg2\n"
    assert not any("in no list" in line for line in server.log_lines)


def test_a_token_is_asked_for(open_page, photos, label):
    with label(photos, "--token", "secret") as server:
        assert json.loads(server.get("/v1/label/project")[1])["status"] == 401
        assert server.get("/v1/label/images/0/small")[0] == 401
        page = open_page(server)
        page.get_by_label("This server requires a token.").fill("secret")
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#zoom")).to_contain_text("%")
