"""Checkpoints as other SSD300 codes write them. Each writer returns the network whose weights it wrote."""

import numpy as np
import torch
from torch import nn

from weights.foreign_codes import Amdegroot, Lufficc, Sgrvinod, initialized

VOC_OUTPUTS = 21


def layers_of(network: Amdegroot):
    """(paper's name, weight, bias) of every convolution of amdegroot's module."""
    names = [f"conv{s}_{n}" for s, count in enumerate((2, 2, 3, 3, 3), 1) for n in range(1, count + 1)]
    convolutions = [module for module in network.vgg if isinstance(module, nn.Conv2d)]
    pairs = list(zip([*names, "fc6", "fc7"], convolutions, strict=True))
    pairs += [(f"conv{8 + i // 2}_{i % 2 + 1}", module) for i, module in enumerate(network.extras)]
    pairs += [(f"loc{i}", module) for i, module in enumerate(network.loc)]
    pairs += [(f"conf{i}", module) for i, module in enumerate(network.conf)]
    return [(name, m.weight.detach().numpy(), m.bias.detach().numpy()) for name, m in pairs]


def varint(number):
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def message(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def write_caffemodel(path, network, *, old_format=False):
    sources = ("conv4_3_norm", "fc7", "conv6_2", "conv7_2", "conv8_2", "conv9_2")

    def caffe_name(name):
        if name.startswith(("loc", "conf")):
            kind, number = name[:-1], int(name[-1])
            return f"{sources[number]}_mbox_{kind}"
        stage, _, rest = name.removeprefix("conv").partition("_")
        return f"conv{int(stage) - 2}_{rest}" if name.startswith("conv") and int(stage) >= 8 else name

    def blob(values):
        if old_format:
            sides = [1] * (4 - values.ndim) + list(values.shape)
            shape = b"".join(varint(number << 3) + varint(side) for number, side in enumerate(sides, start=1))
        else:
            shape = message(7, message(1, b"".join(map(varint, values.shape))))
        return shape + message(5, values.astype("<f4").tobytes())

    rows = [(caffe_name(name), [weight, bias]) for name, weight, bias in layers_of(network)]
    rows.append(("conv4_3_norm", [network.L2Norm.weight.detach().numpy()]))
    layer, name_field, blob_field = (2, 4, 6) if old_format else (100, 1, 7)
    body = message(1, b"VGG_VOC0712_SSD_300x300")
    for name, blobs in rows:
        inner = message(name_field, name.encode()) + b"".join(message(blob_field, blob(values)) for values in blobs)
        body += message(layer, inner)
    path.write_bytes(body)


def write_chainer(path, network):
    arrays = {}
    for name, weight, bias in layers_of(network):
        if name.startswith("loc"):  # x, y, w, h -> y, x, h, w
            weight, bias = (
                values.reshape(-1, 4, *values.shape[1:])[:, [1, 0, 3, 2]].reshape(values.shape)
                for values in (weight, bias)
            )
        kind, number = name[:-1], name[-1]
        where = {"loc": f"multibox/loc/{number}", "conf": f"multibox/conf/{number}"}.get(kind)
        where = where or f"extractor/{name.replace('fc', 'conv')}"
        arrays |= {f"{where}/W": weight, f"{where}/b": bias}
    arrays["extractor/norm4/scale"] = network.L2Norm.weight.detach().numpy()
    np.savez(path, **arrays)


def amdegroot(path, classes=VOC_OUTPUTS):
    network = initialized(Amdegroot(classes))
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    return network


def amdegroot_parallel(path):
    network = initialized(Amdegroot(VOC_OUTPUTS))
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    return network


def lufficc(path):
    network = initialized(Lufficc(VOC_OUTPUTS))
    torch.save({"model": network.state_dict(), "optimizer": {"state": {}}, "iteration": 120000}, path)
    return network


def sgrvinod(path, *, legacy=True):
    network = initialized(Sgrvinod(VOC_OUTPUTS))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    state = {"epoch": 3, "model": network, "optimizer": optimizer}
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    return network


def caffemodel(path, *, old_format=False, outputs=VOC_OUTPUTS):
    network = initialized(Amdegroot(outputs))
    write_caffemodel(path, network, old_format=old_format)
    return network


def chainer(path):
    network = initialized(Amdegroot(VOC_OUTPUTS))
    write_chainer(path, network)
    return network
