// The two sliders and the choice beside the first. The confidence threshold filters what has been received; another NMS
// IoU needs new requests.

import { detectWaiting } from "./detection.js";
import { byId } from "./elements.js";
import { applyFilters, drawDetections } from "./screen.js";
import { state, storedThresholds } from "./state.js";
import { drawStrip } from "./strip.js";

const SETTLED_AFTER_MS = 250; // the NMS IoU's slider is no longer moved

const minScoreSlider = byId("min-score");
const maxOverlapSlider = byId("max-overlap");
let pending = null; // {abort, timer} of the last change of the NMS IoU

export function setUpSliders(model) {
  if (state.requestedMinScore !== undefined) return; // a new token does not move them
  const thresholds = new Set(storedThresholds().values());
  const lowest = Math.min(...thresholds);
  const areDifferent = thresholds.size > 1;
  state.minScore = areDifferent ? null : lowest;
  state.maxOverlap = model.max_overlap;
  state.requestedMinScore = Math.min(Number(minScoreSlider.min), lowest);
  minScoreSlider.value = lowest;
  maxOverlapSlider.value = state.maxOverlap;
  minScoreSlider.disabled = maxOverlapSlider.disabled = false;
  byId("threshold-kind").hidden = !areDifferent;
  showValues();
}

minScoreSlider.addEventListener("input", () => setMinScore(Number(minScoreSlider.value)));
byId("by-class").addEventListener("click", () => setMinScore(null));
byId("one-value").addEventListener("click", () => setMinScore(Number(minScoreSlider.value)));

maxOverlapSlider.addEventListener("input", () => {
  state.maxOverlap = Number(maxOverlapSlider.value);
  showValues();
  clearTimeout(pending?.timer);
  pending?.abort.abort();
  drawDetections();
  drawStrip();
  const abort = new AbortController();
  pending = { abort, timer: setTimeout(() => detectWaiting(abort.signal), SETTLED_AFTER_MS) };
});

function setMinScore(value) {
  state.minScore = value;
  showValues();
  applyFilters();
}

function showValues() {
  const isByClass = state.minScore === null;
  const text = isByClass ? byClass([...storedThresholds().values()]) : state.minScore.toFixed(2);
  byId("min-score-value").textContent = text;
  minScoreSlider.setAttribute("aria-valuetext", text);
  minScoreSlider.classList.toggle("unused", isByClass);
  byId("by-class").setAttribute("aria-pressed", String(isByClass));
  byId("one-value").setAttribute("aria-pressed", String(!isByClass));
  byId("max-overlap-value").textContent = state.maxOverlap.toFixed(2);
}

function byClass(thresholds) {
  return `by class, ${Math.min(...thresholds).toFixed(2)} to ${Math.max(...thresholds).toFixed(2)}`;
}
