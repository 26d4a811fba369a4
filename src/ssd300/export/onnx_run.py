"""An ONNX graph in memory, run by ONNX Runtime."""

from typing import Any


def graph_session(proto: Any, *, threads: int | None = None) -> Any:
    """A session for the graph, on the CPU. `threads` None takes all cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; its warnings are about its own optimizations
    if threads is not None:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
