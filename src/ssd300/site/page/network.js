// The network, run by ONNX Runtime Web: by one thread of WebAssembly, as more would need headers that few hosts of static
// pages send; and by the GPU (WebGPU) if a trial on an image shows that it gives the same answer in less time.

import * as cpuRuntime from "./ort.wasm.bundle.min.js";

const SHOWN_SCORE = 0.05; // boxes with less are not compared: the page never shows them
const MOST_SHIFT = 1e-3; // of a box's edge, in sides of the image

let model = null;
let cpu = null; // a session
let gpu = null; // a session once it passed its trial
let untried = null; // a session of the GPU before its trial
let mustUse = false; // whether the GPU is used though it takes longer
let lastRun = null; // {pixels, answer, ms} of the CPU, for the trial

// Gives the bytes of the exported file. `download` gives those of a file of the site.
export async function load(described, download) {
  model = described;
  const [binary, file] = await Promise.all([model.runtime, model.file].map(download));
  cpu = await start(cpuRuntime, binary, file, "wasm");
  return file;
}

// Loads what the GPU needs, while the CPU works. `device`, "cpu" or "webgpu" or null, is what the page's address asks for.
export async function prepareGpu(file, device, download) {
  mustUse = device === "webgpu";
  if (device === "cpu" || !model.webgpu || !(await hasGpu())) return;
  const [runtime, binary] = await Promise.all([
    import(new URL(model.webgpu.script, import.meta.url)), download(model.webgpu.binary),
  ]);
  untried = await start(runtime, binary, file, "webgpu");
}

// The boxes and scores of one image, and on which device: "cpu" or "webgpu".
export async function run(pixels) {
  if (gpu) {
    try {
      return { ...(await answerOf(gpu, pixels)), device: "webgpu" };
    } catch (error) {
      console.warn(`The GPU stopped, the CPU goes on: ${error.message}`);
      gpu = null;
    }
  }
  const started = performance.now();
  const answer = await answerOf(cpu, pixels);
  lastRun = untried && { pixels, answer, ms: performance.now() - started };
  return { ...answer, device: "cpu" };
}

// Compares the GPU with the CPU on the image that ran last, once. Between images, so that nobody waits for it.
export async function tryGpu() {
  if (!untried || !lastRun) return;
  const [session, { pixels, answer, ms }] = [untried, lastRun];
  untried = lastRun = null;
  await answerOf(session, pixels); // the first run compiles
  const started = performance.now();
  const isSame = agree(answer, await answerOf(session, pixels));
  const gpuMs = performance.now() - started;
  if (isSame && (mustUse || gpuMs < ms)) gpu = session;
  else await session.release();
  const words = isSame ? "gives the same answer" : "gives another answer and is not used";
  console.info(`WebGPU ${words}: ${gpuMs.toFixed()} ms, WebAssembly ${ms.toFixed()} ms`);
}

// A GPU that is only simulated by the processor is slower than WebAssembly.
async function hasGpu() {
  const adapter = await navigator.gpu?.requestAdapter();
  return Boolean(adapter) && (mustUse || !adapter.info.isFallbackAdapter);
}

async function start(runtime, binary, file, provider) {
  Object.assign(runtime.env.wasm, { numThreads: 1, wasmBinary: binary });
  // 3: errors alone; that some nodes of the file stay on the CPU is no news.
  const session = await runtime.InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3 });
  const size = model.image_size_px;
  return {
    run: (pixels) => {
      const type = pixels instanceof Float32Array ? "float32" : "uint8";
      return session.run({ images: new runtime.Tensor(type, pixels, [1, size, size, 3]) });
    },
    release: () => session.release(),
  };
}

async function answerOf(session, pixels) {
  const { boxes, scores } = await session.run(pixels);
  return { boxes: boxes.data, scores: scores.data };
}

// Whether the scores of two answers are as near to each other as those of an exported file and its weights must be, and
// the boxes are in the same places.
function agree(one, other) {
  const classes = model.classes.length;
  return one.scores.every((value, place) => {
    if (!(Math.abs(value - other.scores[place]) <= model.score_limit)) return false; // so is NaN
    if (value < SHOWN_SCORE) return true;
    const first = 4 * Math.floor(place / classes);
    return [0, 1, 2, 3].every((side) => Math.abs(one.boxes[first + side] - other.boxes[first + side]) <= MOST_SHIFT);
  });
}
