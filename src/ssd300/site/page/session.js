// The network in ONNX Runtime Web, on one device.

// `runtime` is a module of ONNX Runtime, `binary` its WebAssembly, `file` the exported file, all of it bytes; `provider` is
// "wasm" or "webgpu". Gives what turns the pixels of an image into {boxes, scores}, flat arrays.
export async function start({ runtime, binary, file, provider, size }) {
  Object.assign(runtime.env.wasm, { numThreads: 1, wasmBinary: binary });
  // 3: errors alone; that some nodes of the file stay on the CPU is no news.
  const session = await runtime.InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3 });
  runtime.env.wasm.wasmBinary = undefined; // it is compiled
  return async (pixels) => {
    const type = pixels instanceof Float32Array ? "float32" : "uint8";
    const { boxes, scores } = await session.run({ images: new runtime.Tensor(type, pixels, [1, size, size, 3]) });
    return { boxes: boxes.data, scores: scores.data };
  };
}
