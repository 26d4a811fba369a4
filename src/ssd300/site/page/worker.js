// The worker of a page without a server: it loads the model, and turns image files into candidates, one after another.

import { decode, NoImageError } from "./decode.js";
import * as network from "./network.js";

const REPORT_EVERY = 1e6; // bytes of what is loaded

let model = null;
let last = Promise.resolve();
let waiting = 0; // images

self.onmessage = ({ data }) => {
  if (!data.model) waiting += 1;
  last = last.then(() => (data.model ? load(data) : answer(data)));
};

async function load({ model: described, device }) {
  model = described;
  let file = null;
  try {
    let loaded = 0;
    file = await network.load(model, (name) => download(name, (count) => {
      const before = loaded;
      loaded += count;
      if (Math.floor(before / REPORT_EVERY) < Math.floor(loaded / REPORT_EVERY)) self.postMessage({ loaded });
    }));
    self.postMessage({ isReady: true });
  } catch (error) {
    self.postMessage({ error: error.message });
    return;
  }
  network.prepareGpu(file, device, download).catch(withoutGpu);
}

function withoutGpu(error) {
  console.info(`The GPU is not used: ${error.message}`);
}

async function answer({ number, file, minScore }) {
  waiting -= 1;
  try {
    self.postMessage({ number, answer: await candidatesIn(file, minScore) });
  } catch (error) {
    self.postMessage({ number, error: error.message, isNoImage: error instanceof NoImageError });
    return;
  }
  if (!waiting) await network.tryGpu().catch(withoutGpu);
}

async function candidatesIn(file, minScore) {
  const { width, height, pixels, timing_ms: timing } = await decode(file, model);
  const started = performance.now();
  const { boxes, scores, device } = await network.run(pixels);
  const timingMs = { ...timing, network: performance.now() - started };
  return { width, height, candidates: above(minScore, boxes, scores), timing_ms: timingMs, device };
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
async function download(name, onBytes = () => {}) {
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
