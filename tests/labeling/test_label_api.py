import io
import json
import time

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from ssd300.labeling.app import make_label_app
from ssd300.labeling.label_store import LabelStore
from ssd300.labeling.opening import open_labels
from ssd300.labeling.pictures import REDUCED_PX
from ssd300.labeling.project import Project
from ssd300.serve.settings import ServeSettings

BOX = {"key": "", "name": "cat", "box": [3, 4, 20, 30], "difficult": False, "truncated": False}
SAVE = "/v1/label/images/0"


@pytest.fixture
def client_of(tmp_path):
    projects = []

    def opened(folder, *, weights=None, **settings) -> TestClient:
        store = LabelStore(open_labels(folder))
        projects.append(project := Project(folder, store, weights=weights, runs=tmp_path / "runs"))
        return TestClient(make_label_app(project, ServeSettings(**settings)), raise_server_exceptions=False)

    yield opened
    for project in projects:
        project.close()


@pytest.fixture
def client(client_of, photos):
    return client_of(photos)


def body(version="new", exists=True, boxes=(BOX,)):
    return {"version": version, "exists": exists, "boxes": list(boxes)}


def test_a_project_is_described_and_saved(client, photos):
    info = client.get("/v1/label/project").json()
    assert [line["name"] for line in info["images"]] == ["img0.png", "img1.png", "img2.png"]
    assert (info["title"], info["format"], info["has_flags"], info["proposes"]) == ("photos", "PASCAL VOC", True, False)
    saved = client.post(SAVE, json=body()).json()
    assert saved["boxes"][0]["box"] == [3, 4, 20, 30]
    changes = client.get("/v1/label/changes", params={"since": info["revision"], "image": 0}).json()
    assert changes["version"] == saved["version"]
    assert [(line["number"], line["state"], line["classes"]) for line in changes["images"]] == [(0, "done", {"cat": 1})]
    assert [(one["name"], one["objects"]) for one in changes["classes"]] == [("cat", 1)]


def test_a_conflict_has_the_labels_as_they_are(client):
    saved = client.post(SAVE, json=body()).json()
    answer = client.post(SAVE, json=body())
    assert answer.status_code == 409
    assert answer.json()["current"] == saved
    assert client.post(SAVE, json=body(version=saved["version"])).status_code == 200


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"box": [20, 4, 3, 30]}, "is not in its image"),
        ({"box": [3, 4, 200, 30]}, "is not in its image"),
        ({"box": [-9, 4, 20, 30]}, "is not in its image"),
        ({"box": [3, 4, 3, 30]}, "is not in its image"),
        ({"box": None}, "has no box"),
        ({"box": [1, 2, 3]}, "boxes.0.box"),
        ({"box": ["a", 2, 3, 4]}, "boxes.0.box"),
        ({"name": " "}, "has no class"),
        ({"name": "x" * 501}, "boxes.0.name"),
        ({"more": 1}, "boxes.0.more"),
    ],
)
def test_a_bad_box_is_refused_and_nothing_is_written(client, photos, changed, said):
    answer = client.post(SAVE, json=body(boxes=[BOX | changed]))
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert not list(photos.glob("*.xml"))


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 422),
        (b"[" * 100_000, {}, 422),
        (b'{"version": NaN}', {}, 422),
        (b" " * 5_000_000, {}, 413),
        (json.dumps(body()), {"Content-Type": "text/plain"}, 415),  # what a form of another site can send
        (json.dumps(body()), {"Sec-Fetch-Site": "cross-site"}, 403),
        (json.dumps(body()), {"Host": "evil.example.org"}, 421),
        (json.dumps(body(boxes=[BOX] * 5001)), {}, 422),
    ],
)
def test_other_bodies_are_refused(client, photos, content, headers, status):
    sent = {"Content-Type": "application/json"} | headers
    assert client.post(SAVE, content=content, headers=sent).status_code == status
    assert not list(photos.glob("*.xml"))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/label/images/3", 404), ("/v1/label/images/-1", 404), ("/v1/label/images/..%2f..", 404),
        ("/v1/label/images/9/small", 404), ("/v1/label/images/0/part?left=0&top=0&right=9&bottom=9", 422),
        ("/v1/label/images/0/part?left=90&top=0&right=99&bottom=9&width=9", 422),
        ("/static/../app.py", 404), ("/static/camera.js", 404), ("/static/start.js", 200), ("/static/elements.js", 200),
        ("/", 200), ("/docs", 404), ("/v1/label/proposals/7", 404),
    ],
)  # fmt: skip
def test_addresses(client, address, status):
    assert client.get(address).status_code == status


def test_pictures_are_upright_and_not_larger_than_needed(client_of, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    pixels = np.zeros((1000, 3000, 3), dtype=np.uint8)
    pixels[:, :30] = 255  # the left edge, which the tag turns to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(folder / "a.jpg", exif=exif)
    client = client_of(folder)
    info = client.get("/v1/label/images/0").json()
    assert (info["width"], info["height"]) == (1000, 3000)
    for address, height in (
        ("small", 160),
        ("reduced", REDUCED_PX),
        ("part?left=0&top=0&right=500&bottom=900&width=100", 180),
    ):
        answer = client.get(f"/v1/label/images/0/{address}")
        image = Image.open(io.BytesIO(answer.content))
        assert image.height == height
        assert image.height > image.width
        assert min(image.getpixel((image.width // 2, 0))) > 100
        assert answer.headers["Content-Type"] == "image/jpeg"


def test_an_image_that_is_broken_is_said_to_be(client_of, photos):
    (photos / "img0.png").write_bytes(b"<html>")
    client = client_of(photos)
    info = client.get("/v1/label/images/0").json()
    assert "not an image" in info["fault"]
    assert info["picture"] == ""
    assert client.get("/v1/label/images/0/reduced").status_code == 422
    assert client.post(SAVE, json=body()).status_code == 422


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "no name"), ("x" * 201, "no name"), ("a\nb", ""), ("a\x00b", "no name"), ("background", "without objects"),
     ("CAT ", "there is a class 'cat' already")],
)  # fmt: skip
def test_a_class_is_added_or_refused(client, photos, name, said):
    assert client.post("/v1/label/classes", json={"name": "cat"}).status_code == 200
    answer = client.post("/v1/label/classes", json={"name": name})
    assert (answer.status_code == 200) == (said == "")
    assert said in answer.json()["detail"] if said else answer.json()[-1]["name"] == "a b"
    assert (photos / "classes.txt").read_text().splitlines()[0] == "cat"


def test_a_renamed_class_joins_another(client, photos):
    for number, name in enumerate(("cat", "dog")):
        client.post(f"/v1/label/images/{number}", json=body(boxes=[BOX | {"name": name}]))
    answer = client.post("/v1/label/classes/rename", json={"old": "dog", "new": "cat"}).json()
    assert (answer["images"], [(one["name"], one["objects"]) for one in answer["classes"]]) == (1, [("cat", 2)])
    assert client.post("/v1/label/classes/rename", json={"old": "dog", "new": "x"}).status_code == 422


def test_the_check_finds_problems_and_copies(client, photos):
    client.post(SAVE, json=body(boxes=[BOX, BOX]))
    (photos / "img2.png").write_bytes((photos / "img1.png").read_bytes())
    found = client.get("/v1/label/check").json()
    assert found["copies"] == [[1, 2]]
    assert [(one["level"], one["image"]) for one in found["findings"]] == [("warning", 0)]
    assert found["splits"] == {"all": 1}


def test_training_without_a_box_is_refused(client, tmp_path):
    client.post(SAVE, json=body(boxes=[]))
    answer = client.post("/v1/label/training/start", json={"holdout": 0.2})
    assert "nothing to train on" in answer.json()["detail"]
    assert client.post("/v1/label/training/resume").status_code == 422
    assert client.get("/v1/label/training").json()["state"] == "none"
    assert not (tmp_path / "runs").exists()


def test_without_weights_nothing_is_reviewed_and_the_order_is_that_of_the_names(client):
    found = client.get("/v1/label/review").json()
    assert (found["weights"], found["cases"], found["left"], found["kinds"]) == ("", [], 0, [])
    answer = client.post("/v1/label/review/decide", json={"case": "0-1", "decision": "label"})
    assert "--weights" in answer.json()["fix"]
    for by in ("entropy", "mean-entropy", "near-threshold", "flip"):
        assert client.get("/v1/label/proposals/order", params={"by": by}).json() == [0, 1, 2]
    assert client.get("/v1/label/proposals/order", params={"by": "entropie"}).status_code == 422


@pytest.mark.parametrize(
    "content",
    [{}, {"case": "0-1"}, {"case": "0-1", "decision": "mine"}, {"case": 3, "decision": "label"},
     {"case": "x" * 101, "decision": "label"}, {"case": "0-1", "decision": "label", "more": 1}],
)  # fmt: skip
def test_a_decision_that_is_none_is_refused(client, photos, content):
    assert client.post("/v1/label/review/decide", json=content).status_code == 422
    assert client.get("/v1/label/review", params={"kind": "any"}).status_code == 422
    assert not list(photos.glob("*.jsonl"))


@pytest.mark.slow
def test_a_review_is_asked_for_decided_and_remembered(client_of, few_cells, cell_run):
    client = client_of(few_cells, weights=str(cell_run))
    until = time.monotonic() + 60
    while (found := client.get("/v1/label/review").json())["left"] and time.monotonic() < until:
        time.sleep(0.05)  # between two looks: the detector works in a thread of its own
    assert (found["weights"], found["compared"], found["looked_at"], found["fault"]) == ("drawn", 2, 0, "")
    assert found["open"] == sum(one["open"] for one in found["kinds"]) > 0
    suspicions = [one["suspicion"] for one in found["cases"]]
    assert suspicions == sorted(suspicions, reverse=True)
    unseen = client.get("/v1/label/review", params={"kind": "unseen"}).json()["cases"]
    first = unseen[0]
    assert first["label"]["name"] in first["words"]
    assert client.get("/v1/label/review", params={"current": first["id"]}).json()["is_current_open"]
    assert client.post("/v1/label/review/decide", json={"case": first["id"], "decision": "label"}).status_code == 200
    after = client.get("/v1/label/review", params={"kind": "unseen", "current": first["id"]}).json()
    assert (after["looked_at"], after["open"], after["is_current_open"]) == (1, found["open"] - 1, False)
    assert [one["id"] for one in after["cases"]] == [one["id"] for one in unseen[1:]]
    assert after["remark"] == ""
    labels = client.get("/v1/label/images/0").json()
    save = {"version": labels["version"], "exists": True, "boxes": [*labels["boxes"], BOX]}
    assert client.post(SAVE, json=save).status_code == 200
    assert (
        client.get("/v1/label/review").json()["remark"] == "the model does not know cat: these labels are not reviewed"
    )
    answer = client.post("/v1/label/review/decide", json={"case": "9-9", "decision": "label"})
    assert (answer.status_code, "no such disagreement" in answer.json()["detail"]) == (422, True)


def test_images_of_no_list_are_told_and_added_to_one(client_of, photos):
    (photos / "Annotations").mkdir()
    (photos / "test.txt").write_text("img0\n")
    client = client_of(photos)
    for number in (0, 2):
        assert client.post(f"/v1/label/images/{number}", json=body()).status_code == 200
    assert client.get("/v1/label/project").json()["splits"] == [{"name": "test", "images": [0], "can_add": True}]
    assert client.post("/v1/label/splits/add", json={"split": "val"}).status_code == 422
    added = client.post("/v1/label/splits/add", json={"split": "test"}).json()
    assert added == {"images": 1, "splits": [{"name": "test", "images": [0, 2], "can_add": True}]}
    assert (photos / "test.txt").read_text() == "img0\nimg2\n"
