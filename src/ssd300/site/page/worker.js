// The worker of a page without a server: it loads the model, and turns image files into candidates, one after another.
// ONNX Runtime has one thread here: more would need headers that few hosts of static pages send.

import * as ort from "./ort.wasm.bundle.min.js";
import { decode, NoImageError } from "./decode.js";

const REPORT_EVERY = 1e6; // bytes of what is loaded

let session = null;
let model = null;
let last = Promise.resolve();

self.onmessage = ({ data }) => {
  last = last.then(() => (data.model ? load(data.model) : answer(data)));
};

async function load(described) {
  model = described;
  try {
    let loaded = 0;
    const fetched = await Promise.all([model.runtime, model.file].map((name) => download(name, (count) => {
      const before = loaded;
      loaded += count;
      if (Math.floor(before / REPORT_EVERY) < Math.floor(loaded / REPORT_EVERY)) self.postMessage({ loaded });
    })));
    Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: fetched[0] });
    session = await ort.InferenceSession.create(fetched[1], { executionProviders: ["wasm"] });
    self.postMessage({ isReady: true });
  } catch (error) {
    self.postMessage({ error: error.message });
  }
}

async function answer({ number, file, minScore }) {
  try {
    self.postMessage({ number, answer: await candidatesIn(file, minScore) });
  } catch (error) {
    self.postMessage({ number, error: error.message, isNoImage: error instanceof NoImageError });
  }
}

async function candidatesIn(file, minScore) {
  const { width, height, pixels, timing_ms: timing } = await decode(file, model);
  const started = performance.now();
  const size = model.image_size_px;
  const type = pixels instanceof Float32Array ? "float32" : "uint8";
  const { boxes, scores } = await session.run({ images: new ort.Tensor(type, pixels, [1, size, size, 3]) });
  const candidates = above(minScore, boxes.data, scores.data);
  return { width, height, candidates, timing_ms: { ...timing, network: performance.now() - started } };
}

// Of all default boxes and classes those with a score above `minScore`, as flat arrays.
function above(minScore, allBoxes, allScores) {
  const classes = model.classes.length;
  const places = [];
  for (let place = 0; place < allScores.length; place += 1) if (allScores[place] > minScore) places.push(place);
  const boxes = new Float32Array(4 * places.length);
  places.forEach((place, row) => {
    const first = 4 * Math.floor(place / classes);
    boxes.set(allBoxes.subarray(first, first + 4), 4 * row);
  });
  return {
    boxes,
    scores: Float32Array.from(places, (place) => allScores[place]),
    labels: Uint32Array.from(places, (place) => place % classes),
  };
}

// The bytes of a file of the site. `onBytes` gets the number of each part as it arrives.
async function download(name, onBytes) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name} was not found: status ${response.status}`);
  const counted = new TransformStream({
    transform(part, controller) {
      onBytes(part.length);
      controller.enqueue(part);
    },
  });
  return new Uint8Array(await new Response(response.body.pipeThrough(counted)).arrayBuffer());
}
