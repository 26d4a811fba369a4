"""SSD300, the Single Shot MultiBox Detector (Liu et al. 2016), in PyTorch."""
