"""What a person does in the page of `ssd300 label`, in headless Chromium."""

from playwright.sync_api import expect

from ssd300.data.formats.voc_xml import read_xml

SAVED = 15_000  # milliseconds


def opened(open_page, server, **options):
    page = open_page(server, viewport={"width": 1280, "height": 800}, **options)
    expect(page.locator("#zoom")).to_contain_text("%")
    return page


def opened_with_a_box(open_page, server):
    """The page whose first image has a saved box of class cat, from (5, 5) to (20, 25)."""
    page = opened(open_page, server)
    add_class(page, "cat")
    drag(page, (5, 5), (20, 25))
    wait_until_saved(page)
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
