"""Average precision of VOC and COCO, error kinds, confusion, calibration: numpy arrays in, numbers out."""
