// The large image with its boxes, its caption, and the box that is highlighted.

import { byId } from "./elements.js";
import { showError } from "./notices.js";
import { state, visible } from "./state.js";
import { View } from "./view.js";

const view = new View(byId("canvas"));

export function drawStage() {
  const entry = state.shown;
  byId("empty").hidden = entry !== null;
  byId("canvas").hidden = !entry?.bitmap && !entry?.result;
  byId("unknown-format").hidden = !entry?.result || entry.bitmap !== null;
  byId("caption").textContent = entry ? caption(entry) : "";
  drawBusy();
  showError(entry?.error ?? null, entry?.file.name);
  resize();
}

export function drawBusy() {
  const entry = state.shown;
  const isWaiting = entry !== null && !entry.result && !entry.error;
  byId("busy").hidden = !state.model || !(isWaiting || entry?.isRunning);
}

// Fit the image to the space that the window leaves.
export function resize() {
  if (byId("canvas").hidden) return;
  const { result, bitmap } = state.shown;
  view.show(bitmap, result?.width ?? bitmap.width, result?.height ?? bitmap.height, byId("stage").clientWidth);
  drawBoxes();
}

export function drawBoxes() {
  if (state.shown) view.draw(visible(state.shown), state.colors, state.highlighted);
}

// Highlight a box and its row; null highlights none.
export function highlight(detection) {
  if (detection === state.highlighted) return;
  state.highlighted = detection;
  drawBoxes();
  for (const button of byId("found").querySelectorAll("button")) {
    const isOn = button.detection === detection;
    button.classList.toggle("highlighted", isOn);
    if (isOn && !button.matches(":hover, :focus")) button.scrollIntoView({ block: "nearest" });
  }
}

export function detectionAt(clientX, clientY) {
  return view.at(clientX, clientY);
}

function caption(entry) {
  const size = entry.result ?? entry.bitmap;
  const count = state.entries.length;
  const position = count > 1 && state.entries.includes(entry) && `${state.entries.indexOf(entry) + 1} of ${count}`;
  return [entry.file.name, size && `${size.width} × ${size.height}`, position].filter(Boolean).join(" · ");
}
