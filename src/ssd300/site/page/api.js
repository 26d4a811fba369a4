// What the server's api.js is to a page with a server: the model is described and detects, here in a worker of this page.
// The candidates of an image are kept, so that another NMS IoU needs the network no second time.

import { select } from "./select.js";
import { toVocXml } from "./voc_xml.js";

const NO_IMAGE = 415; // the status with which a server refuses a file that is no image
const MEGA = 1e6;

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const waiting = new Map(); // the number of a request -> {resolve, reject}
const kept = new WeakMap(); // a file -> its candidates, a promise
let model = null;
let sent = 0;

// `status` and `affectsAll` are as in an error of a server: whether any other image would fail too.
class DetectionError extends Error {
  constructor(message, { status, affectsAll = false } = {}) {
    super(message);
    Object.assign(this, { status, affectsAll });
  }
}

// Reads what is known of the model, and loads it. `onProgress` gets words about it.
export async function describeModel(onProgress) {
  try {
    const described = await (await fetch(new URL("model.json", import.meta.url))).json();
    const started = new Promise((resolve, reject) => {
      worker.onerror = () => reject(new Error("its worker does not start"));
      worker.onmessage = ({ data }) => {
        if (data.loaded !== undefined) onProgress(inWords(data.loaded, described.bytes));
        else if (data.error) reject(new Error(data.error));
        else resolve();
      };
    });
    worker.postMessage({ model: described, device: new URLSearchParams(location.search).get("device") });
    await started;
    worker.onmessage = ({ data }) => settle(data);
    model = described;
  } catch (error) {
    throw new DetectionError(
      `The model does not run in this browser (${error.message}). Load the page again; if that does not help, use a current `
      + "Chrome, Edge, Firefox or Safari.", { affectsAll: true },
    );
  }
  return model;
}

// The `result` of one image file, as the API of a server describes it, with the milliseconds of each step, and `totalMs`.
export async function detect(file, { minScore, maxOverlap, signal }) {
  const started = performance.now();
  const { width, height, candidates, timing_ms: timing, device } = await candidatesIn(file, minScore);
  if (signal?.aborted) throw new DOMException("another NMS IoU was chosen", "AbortError");
  const selecting = performance.now();
  const detections = select(candidates, { ...model, maxOverlap }).map((one) => place(one, width, height));
  const times = { ...timing, select: performance.now() - selecting };
  return {
    result: { image: file.name, width, height, detections, timing_ms: times },
    totalMs: performance.now() - started,
    device,
  };
}

// A VOC annotation of the detections `found` of an image.
export async function makeFile(_kind, { file, result }, found) {
  return new Blob([toVocXml(file.name, result, found)], { type: "application/xml" });
}

function candidatesIn(file, minScore) {
  if (!kept.has(file)) kept.set(file, request(file, minScore));
  const candidates = kept.get(file);
  candidates.catch(() => kept.delete(file)); // it is tried again when the image is chosen again
  return candidates;
}

function request(file, minScore) {
  const number = (sent += 1);
  worker.postMessage({ number, file, minScore });
  return new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
}

function settle({ number, answer, error, isNoImage }) {
  const { resolve, reject } = waiting.get(number);
  waiting.delete(number);
  if (error) reject(new DetectionError(error, isNoImage ? { status: NO_IMAGE } : {}));
  else resolve(answer);
}

// A detection in pixels of the image, cut at its border, in 32 bits as everywhere.
function place({ box, score, label }, width, height) {
  const [xmin, ymin, xmax, ymax] = box.map((value, side) => {
    const limit = side % 2 ? height : width;
    return Math.min(Math.max(Math.fround(value * limit), 0), limit);
  });
  return { label: model.classes[label].name, label_id: label, score, box: { xmin, ymin, xmax, ymax } };
}

function inWords(loaded, all) {
  return `Loading the model: ${Math.floor(loaded / MEGA)} of ${Math.ceil(all / MEGA)} MB …`;
}
