// Draws all that depends on the shown image or on the filters.

import { drawClasses } from "./classes.js";
import { drawFound } from "./found.js";
import { drawResults } from "./results.js";
import { drawBoxes, drawStage } from "./stage.js";
import { state } from "./state.js";
import { drawStrip } from "./strip.js";

// Shows an image; null shows the empty stage.
export function show(entry) {
  state.shown = entry;
  state.highlighted = null;
  drawStage();
  drawDetections();
  drawStrip();
}

// After a change to one image.
export function update(entry) {
  if (entry === state.shown) show(entry);
  else if (state.entries.includes(entry)) drawStrip();
}

// After a change of the confidence threshold or the hidden classes.
export function applyFilters() {
  state.highlighted = null;
  drawBoxes();
  drawDetections();
  drawStrip();
}

export function drawDetections() {
  drawFound();
  drawClasses();
  drawResults();
}
