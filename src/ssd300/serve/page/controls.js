// The two sliders. The confidence threshold filters what has been received; another NMS IoU needs new requests.

import { detectWaiting } from "./detection.js";
import { byId } from "./elements.js";
import { applyFilters, drawDetections } from "./screen.js";
import { state } from "./state.js";
import { drawStrip } from "./strip.js";

const SETTLED_AFTER_MS = 250; // the NMS IoU's slider is no longer moved

const minScoreSlider = byId("min-score");
const maxOverlapSlider = byId("max-overlap");
let pending = null; // {abort, timer} of the last change of the NMS IoU

export function setUpSliders(model) {
  const thresholds = new Set(model.classes.map((one) => one.min_score));
  const lowest = Math.min(...thresholds);
  state.minScore = thresholds.size === 1 ? lowest : state.minScore;
  state.maxOverlap = model.max_overlap;
  state.requestedMinScore = Math.min(Number(minScoreSlider.min), lowest);
  minScoreSlider.value = state.minScore ?? lowest;
  maxOverlapSlider.value = state.maxOverlap;
  minScoreSlider.disabled = maxOverlapSlider.disabled = false;
  showValues();
}

minScoreSlider.addEventListener("input", () => {
  state.minScore = Number(minScoreSlider.value);
  showValues();
  applyFilters();
});

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

function showValues() {
  byId("min-score-value").textContent = state.minScore === null ? "per class" : state.minScore.toFixed(2);
  byId("max-overlap-value").textContent = state.maxOverlap.toFixed(2);
}
