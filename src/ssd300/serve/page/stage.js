// The large image with its boxes, its caption, and the box that is highlighted.

import { camera } from "./camera.js";
import { byId } from "./elements.js";
import { showError } from "./notices.js";
import { state, visible } from "./state.js";
import { View } from "./view.js";

const view = new View(byId("canvas"));

export function drawStage() {
  const entry = state.shown;
  byId("empty").hidden = entry !== null;
  byId("picture").hidden = !entry?.bitmap && !entry?.result;
  byId("video").hidden = !entry?.isLive;
  byId("unknown-format").hidden = !entry?.result || entry.bitmap !== null;
  byId("caption").textContent = entry ? caption(entry) : "";
  drawBusy();
  showError(entry?.error ?? null, entry?.file?.name);
  resize();
}

export function drawBusy() {
  const entry = state.shown;
  const isWaiting = entry !== null && !entry.result && !entry.error;
  byId("busy").hidden = !state.model || entry?.isLive || !(isWaiting || entry?.isRunning);
}

// Fit the image to the space that the window leaves.
export function resize() {
  if (byId("picture").hidden) return;
  const { result, bitmap, isLive } = state.shown;
  const background = isLive ? "none" : bitmap ?? "gray";
  view.show(background, result?.width ?? bitmap.width, result?.height ?? bitmap.height, byId("stage").clientWidth);
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

// Scrolls so that the image is in view: on a phone the list is far below it.
export function showWhole() {
  byId("stage").scrollIntoView({ block: "nearest" });
}

export function detectionAt(clientX, clientY) {
  return state.shown?.isLive ? null : view.at(clientX, clientY);
}

// What is seen as a PNG, null where the browser cannot make it.
export function shownAsPng() {
  return state.shown.bitmap ? view.png() : null;
}

function caption(entry) {
  const size = entry.isLive ? entry.bitmap : entry.result ?? entry.bitmap;
  const count = state.entries.length;
  const position = count > 1 && state.entries.includes(entry) && `${state.entries.indexOf(entry) + 1} of ${count}`;
  const name = entry.isLive ? camera.name : entry.file.name;
  return [name, size && `${size.width} × ${size.height}`, position].filter(Boolean).join(" · ");
}
