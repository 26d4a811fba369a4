// The network, run by ONNX Runtime Web: by one thread of WebAssembly, as more would need headers that few hosts of static
// pages send; and by the GPU (WebGPU) if a trial on an image shows that it gives the same answer in less time.

import * as cpuRuntime from "./ort.wasm.bundle.min.js";
import { start } from "./session.js";
import "./gpu.js";

const SHOWN_SCORE = 0.05; // boxes with less are not compared: the page never shows them
const MOST_SHIFT = 1e-3; // of a box's edge, in sides of the image
const LONGEST_MS = 30_000; // of what the GPU is asked for: after that it counts as lost

let model = null;
let onCpu = null; // what runs the network
let gpu = null; // a worker once it passed its trial
let untried = null; // the worker before its trial
let mustUse = false; // whether the GPU is used though it takes longer
let lastRun = null; // {pixels, answer, ms} of the CPU, for the trial

// Gives the bytes of the exported file. `download` gives those of a file of the site.
export async function load(described, download) {
  model = described;
  const [binary, file] = await Promise.all([model.runtime, model.file].map(download));
  onCpu = await start({ runtime: cpuRuntime, binary, file, provider: "wasm", size: model.image_size_px });
  return file;
}

// Loads what the GPU needs, while the CPU works. `device`, "cpu" or "webgpu" or null, is what the page's address asks for.
export async function prepareGpu(file, device, download) {
  mustUse = device === "webgpu";
  if (device === "cpu" || !model.webgpu || !(await self.hasGpu({ orSimulated: mustUse }))) return;
  const { script, binary } = model.webgpu;
  const message = { script, binary: await download(binary), file, size: model.image_size_px };
  const worker = new Worker(new URL("gpu_worker.js", import.meta.url), { type: "module" });
  await ask(worker, message);
  untried = worker;
}

// The boxes and scores of one image, and on which device: "cpu" or "webgpu".
export async function run(pixels) {
  if (gpu) {
    try {
      return { ...(await ask(gpu, { pixels })), device: "webgpu" };
    } catch (error) {
      console.warn(`The GPU stopped, the CPU goes on: ${error.message}`);
      gpu = null;
    }
  }
  const { answer, ms } = await timed(() => onCpu(pixels));
  lastRun = untried && { pixels, answer, ms };
  return { ...answer, device: "cpu" };
}

// Compares the GPU with the CPU, once, on the image that ran last. An image that comes meanwhile waits for it.
export async function tryGpu() {
  if (!untried || !lastRun) return;
  const [worker, { pixels, answer, ms }] = [untried, lastRun];
  untried = lastRun = null;
  // A first run takes longer, on both. So the better one of two counts.
  const again = await timed(() => onCpu(pixels));
  const first = await timed(() => ask(worker, { pixels }));
  const second = await timed(() => ask(worker, { pixels }));
  const [cpuMs, gpuMs] = [Math.min(ms, again.ms), Math.min(first.ms, second.ms)];
  const isSame = agree(answer, second.answer);
  const words = isSame ? "gives the same answer" : "gives another answer and is not used";
  console.info(`WebGPU ${words}: ${gpuMs.toFixed()} ms, WebAssembly ${cpuMs.toFixed()} ms`);
  if (isSame && (mustUse || gpuMs < cpuMs)) gpu = worker;
  else worker.terminate();
}

// The answer of the GPU's worker to a message. Without one, or with an error, the worker is ended.
async function ask(worker, message) {
  let timer = 0;
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not answer within ${LONGEST_MS / 1000} s`)), LONGEST_MS);
      worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data));
      worker.onerror = () => reject(new Error("its worker does not start"));
      worker.postMessage(message);
    });
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function timed(work) {
  const started = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - started };
}

// Whether every score of two answers, and every box that can be shown, is nearly the same.
function agree(one, other) {
  const classes = model.classes.length;
  return one.scores.every((value, place) => {
    if (!(Math.abs(value - other.scores[place]) <= model.webgpu.score_limit)) return false; // so is NaN
    if (value < SHOWN_SCORE) return true;
    const first = 4 * Math.floor(place / classes);
    return [0, 1, 2, 3].every((side) => Math.abs(one.boxes[first + side] - other.boxes[first + side]) <= MOST_SHIFT);
  });
}
