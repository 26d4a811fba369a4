// The network, run by ONNX Runtime Web: by one thread of WebAssembly, as more would need headers that few hosts of static
// pages send; and by the GPU (WebGPU) if a trial on an image shows that it gives the same answer in less time.

import * as cpuRuntime from "./ort.wasm.bundle.min.js";
import "./gpu.js";

const SHOWN_SCORE = 0.05; // boxes with less are not compared: the page never shows them
const MOST_SHIFT = 1e-3; // of a box's edge, in sides of the image
const LONGEST_MS = 30_000; // of one run on the GPU: after that it counts as lost

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
  if (device === "cpu" || !model.webgpu || !(await self.hasGpu({ orSimulated: mustUse }))) return;
  const [runtime, binary] = await Promise.all([
    import(new URL(model.webgpu.script, import.meta.url)), download(model.webgpu.binary),
  ]);
  untried = await start(runtime, binary, file, "webgpu");
}

// The boxes and scores of one image, and on which device: "cpu" or "webgpu".
export async function run(pixels) {
  if (gpu) {
    try {
      return { ...(await onGpu(gpu, pixels)), device: "webgpu" };
    } catch (error) {
      console.warn(`The GPU stopped, the CPU goes on: ${error.message}`);
      leave(gpu);
      gpu = null;
    }
  }
  const { answer, ms } = await timed(() => answerOf(cpu, pixels));
  lastRun = untried && { pixels, answer, ms };
  return { ...answer, device: "cpu" };
}

// Compares the GPU with the CPU, once, on the image that ran last. An image that comes meanwhile waits for it.
export async function tryGpu() {
  if (!untried || !lastRun) return;
  const [session, { pixels, answer, ms }] = [untried, lastRun];
  untried = lastRun = null;
  try {
    // A first run takes longer, on both. So the better one of two counts.
    const onCpu = await timed(() => answerOf(cpu, pixels));
    const first = await timed(() => onGpu(session, pixels));
    const second = await timed(() => onGpu(session, pixels));
    const [cpuMs, gpuMs] = [Math.min(ms, onCpu.ms), Math.min(first.ms, second.ms)];
    const isSame = agree(answer, second.answer);
    const words = isSame ? "gives the same answer" : "gives another answer and is not used";
    console.info(`WebGPU ${words}: ${gpuMs.toFixed()} ms, WebAssembly ${cpuMs.toFixed()} ms`);
    if (isSame && (mustUse || gpuMs < cpuMs)) gpu = session;
  } finally {
    if (!gpu) leave(session);
  }
}

// Frees what a session of the GPU holds. A GPU that is lost may not answer.
function leave(session) {
  session.release().catch(() => {});
}

async function start(runtime, binary, file, provider) {
  Object.assign(runtime.env.wasm, { numThreads: 1, wasmBinary: binary });
  // 3: errors alone; that some nodes of the file stay on the CPU is no news.
  const session = await runtime.InferenceSession.create(file, { executionProviders: [provider], logSeverityLevel: 3 });
  runtime.env.wasm.wasmBinary = undefined; // it is compiled
  const size = model.image_size_px;
  return {
    run: (pixels) => {
      const type = pixels instanceof Float32Array ? "float32" : "uint8";
      return session.run({ images: new runtime.Tensor(type, pixels, [1, size, size, 3]) });
    },
    release: () => session.release(),
  };
}

function onGpu(session, pixels) {
  let timer = 0;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${LONGEST_MS / 1000} s`)), LONGEST_MS);
  });
  return Promise.race([answerOf(session, pixels), late]).finally(() => clearTimeout(timer));
}

async function timed(work) {
  const started = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - started };
}

async function answerOf(session, pixels) {
  const { boxes, scores } = await session.run(pixels);
  return { boxes: boxes.data, scores: scores.data };
}

// Whether every score of two answers, and every box that can be shown, is nearly the same.
function agree(one, other) {
  const classes = model.classes.length;
  return one.scores.every((value, place) => {
    if (!(Math.abs(value - other.scores[place]) <= model.score_limit)) return false; // so is NaN
    if (value < SHOWN_SCORE) return true;
    const first = 4 * Math.floor(place / classes);
    return [0, 1, 2, 3].every((side) => Math.abs(one.boxes[first + side] - other.boxes[first + side]) <= MOST_SHIFT);
  });
}
