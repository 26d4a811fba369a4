"""The page's lists and panels: proposals, the order of the images, counts, training and splits."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from label_page import SAVED, boxes_of, drag, opened, wait_until_saved
from ssd300.weights import load_weights, save_weights

pytestmark = pytest.mark.slow


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


def test_each_class_begins_with_the_threshold_of_the_weights(open_page, cells, label, unsure_run, tmp_path):
    model, card = load_weights(unsure_run)
    low, *others = card.classes
    held = {low: 0.05} | dict.fromkeys(others, 0.999)
    save_weights(tmp_path / "w.safetensors", model, replace(card, min_scores=held))
    with label(cells, "--weights", tmp_path / "w.safetensors") as server:
        page = opened(open_page, server)
        chosen, one_each = page.locator("#min-score-value"), page.get_by_role("button", name="Each class its own")
        expect(page.locator("#proposals-state")).to_contain_text("A click on a dashed box", timeout=60_000)
        expect(chosen).to_have_text("by class")
        expect(chosen).to_have_attribute("title", ", ".join(f"{name} {score:.2f}" for name, score in held.items()))
        accept = page.locator("#accept-all")
        begun = accept.inner_text()
        assert {one["name"] for one in shown_proposals(page)} == {low}
        expect(one_each).to_be_hidden()
        page.locator("#min-score").evaluate("(one) => { one.value = 0.06; one.dispatchEvent(new Event('input')); }")
        expect(chosen).to_have_text("0.06")
        assert {one["name"] for one in shown_proposals(page)} > {low}
        one_each.click()
        expect(chosen).to_have_text("by class")
        expect(accept).to_have_text(begun)


def shown_proposals(page):
    return page.evaluate("() => import('/static/proposals.js').then((one) => one.shownProposals())")


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
        expect(page.locator("#mapping")).not_to_have_attribute("open", "")
        page.keyboard.press("Shift+A")  # the data has no classes: they are added only at the second time
        expect(page.locator("#note")).to_contain_text("not in this data")
        expect(page.locator("#mapping")).to_have_attribute("open", "")
        expect(page.locator("#boxes li")).to_have_count(0)
        assert page.get_by_role("radio").count() == 0
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
        wait_until_saved(page)

        old = boxes_of(place)[0][0]  # renamed: the model's class follows, and does not come again
        page.get_by_role("button", name=f"Rename {old}").click()
        page.locator("#rename-input").fill("something")
        page.get_by_role("button", name="Rename", exact=True).click()
        expect(page.get_by_role("radio", name="something")).to_be_visible()
        expect(page.get_by_label(f"{old} of the model becomes")).to_have_value("something")


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
