// From files to detections: images are decoded here to be shown, and given to api.js one after another, the shown one first.

import { detect } from "./api.js";
import { askToken } from "./notices.js";
import { update } from "./screen.js";
import { drawBusy } from "./stage.js";
import { isStale, state } from "./state.js";

// Detects in all images that wait, or whose result belongs to another NMS IoU.
export async function detectWaiting(signal) {
  while (state.model && !signal?.aborted) {
    const entry = [state.shown, ...state.entries].find((one) => state.entries.includes(one) && isStale(one));
    if (!entry) return;
    await Promise.all([loadBitmap(entry), detectIn(entry, signal)]);
    if (entry.error?.affectsAll) return; // all wait for the next call
  }
}

// Puts the result, or the error, into the entry. It waits again if the request was aborted or
// would fail with any image.
export async function detectIn(entry, signal) {
  const { requestedMinScore: minScore, maxOverlap } = state;
  Object.assign(entry, { maxOverlap, isRunning: true });
  drawBusy();
  try {
    Object.assign(entry, await detect(entry.file, { minScore, maxOverlap, signal }), { error: null });
  } catch (error) {
    if (error.name === "AbortError") {
      entry.maxOverlap = undefined;
      return;
    }
    if (error.status === 401) askToken();
    entry.result = null; // it would belong to another NMS IoU
    entry.error = error;
    if (error.affectsAll) entry.maxOverlap = undefined;
  } finally {
    entry.isRunning = false;
  }
  update(entry);
}

// The image's pixels, decoded once.
export function loadBitmap(entry) {
  entry.loading ??= decode(entry.url).then((bitmap) => {
    entry.bitmap = bitmap;
    update(entry);
  });
  return entry.loading;
}

async function decode(url) {
  const image = new Image();
  image.src = url;
  return image.decode().then(() => image, () => null);
}
