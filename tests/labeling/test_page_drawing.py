"""The page in headless Chromium, as a person uses it with a mouse, keys or fingers: what is drawn is on the disk."""

import pytest
from playwright.sync_api import expect

from label_page import add_class, at, boxes_of, drag, opened, opened_with_a_box, wait_until_saved
from ssd300.data.formats.voc_xml import read_xml

pytestmark = pytest.mark.slow


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
        page = opened_with_a_box(open_page, server)
        assert (photos / "img0.xml").exists()
        page.keyboard.press("Control+z")
        wait_until_saved(page)
        assert not (photos / "img0.xml").exists()


def test_an_image_whose_only_box_is_removed_is_not_labeled_unless_it_was_before(open_page, photos, label):
    with label(photos) as server:
        page = opened_with_a_box(open_page, server)
        page.keyboard.press("n")
        expect(page.locator("#image-caption")).to_contain_text("img1.png")
        page.keyboard.press("e")
        wait_until_saved(page)
        drag(page, (5, 5), (20, 25))
        page.keyboard.press("Delete")  # it was said to have no objects, and that holds
        wait_until_saved(page)
        assert boxes_of(photos / "img1.xml") == []
        page.keyboard.press("p")
        expect(page.locator("#boxes li")).to_have_count(1)
        page.get_by_role("button", name="Remove cat").click()
        wait_until_saved(page)
        assert not (photos / "img0.xml").exists()
        expect(page.locator("#boxes-title")).to_have_text("No boxes yet")
        page.keyboard.press("Control+z")
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == [("cat", 5, 5, 20, 25)]

        page.reload()  # now the image had labels before
        expect(page.locator("#zoom")).to_contain_text("%")
        page.get_by_role("button", name="Remove cat").click()
        wait_until_saved(page)
        assert boxes_of(photos / "img0.xml") == []


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


def test_a_new_box_scrolls_the_list_and_never_the_page_of_a_phone(open_page, photos, label):
    (photos / "classes.txt").write_text("cat\n")
    with label(photos) as server:
        page = open_page(server, viewport={"width": 390, "height": 844})
        expect(page.locator("#zoom")).to_contain_text("%")
        page.locator("#canvas").focus()
        for _ in range(12):
            page.keyboard.press("b")
        drag(page, (5, 5), (20, 25))
        wait_until_saved(page)
        assert page.evaluate("window.scrollY + document.body.scrollTop") == 0
        list_of_boxes = page.locator("#boxes")
        assert list_of_boxes.evaluate("(one) => one.scrollTop + one.clientHeight >= one.scrollHeight - 1")
        assert list_of_boxes.evaluate("(one) => one.scrollTop") > 0
