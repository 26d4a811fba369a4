import torch

from ssd300.export.calibration import Calibration, distance_from_training
from ssd300.weights import load_weights


def test_dark_images_are_farther_from_the_training_data_than_those_it_was_made_of(light_run):
    model, _ = load_weights(light_run)
    images = list(torch.rand(4, 3, 300, 300, generator=torch.Generator().manual_seed(0)))
    momenta = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for module in momenta:
        module.momentum = 1.0  # the statistics become those of these images
    with torch.no_grad():
        model.train()(torch.stack(images))
    near = distance_from_training(model, images)
    far = distance_from_training(model, [image * 0.03 for image in images])
    assert near < 0.5 < far
    assert not model.training


def test_notes_name_what_is_suspicious():
    assert Calibration(images=8, without_detections=4, distance=0.4).notes() == []
    assert Calibration(images=8, without_detections=1, distance=None).notes() == []
    nothing, unlike = Calibration(images=8, without_detections=5, distance=2.0).notes()
    assert "5 of the 8 images" in nothing
    assert "unlike those that the weights were trained on" in unlike
